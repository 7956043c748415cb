-- What `moontrace run FILE.bpf.o` does: load, attach, and let every event buffer print itself.
local path = arg[0]
bpf.object(path):attach()
