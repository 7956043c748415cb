-- What `moontrace run FILE.bpf.o` does: load, attach, and let every event buffer print itself.
local path = arg[1]
bpf.object(path):attach()
