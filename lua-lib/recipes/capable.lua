recipe {
  name = "capable",
  summary = "Trace checks of capabilities",
  version = "1.0.0",
  category = "security",
  options = {
    { name = "pid", short = "p", type = "integer", help = "trace only this process" },
    { name = "failed", short = "x", type = "boolean", help = "only checks that were not passed" },
    { name = "unaudited", short = "v", type = "boolean", help = "also checks that are not audited" },
  },
  examples = {
    [[
moontrace capable
     PID COMM                  UID      CAP NAME                AUDIT RESULT
     143 chown               65534        0 CAP_CHOWN               1 no
     144 chown                   0        0 CAP_CHOWN               1 yes
     144 chown                   0        0 CAP_CHOWN               1 yes
     144 chown                   0       21 CAP_SYS_ADMIN           1 yes]],
    "moontrace capable -x",
  },
}

local names = { [0] = "CHOWN" }
for name in ([[DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
  NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN
  SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE
  MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE]]):gmatch("%S+") do
  names[#names + 1] = name
end

local NO_AUDIT = 2
local checks = map { lru = true } -- thread -> what it is asked for

probe("kprobe:cap_capable", function(args)
  if opt.pid and pid ~= opt.pid then return end
  local audited = args.opts & NO_AUDIT == 0
  if audited or opt.unaudited then checks[tid] = { cap = args.cap, audit = audited } end
end)

probe("kretprobe:cap_capable", function()
  local check = checks[tid]
  if not check then return end
  checks[tid] = nil
  local passed = retval & 0xffffffff == 0
  if opt.failed and passed then return end
  return { pid = pid, comm = comm, uid = uid, cap = check.cap, audit = check.audit, passed = passed }
end):each(function(e)
  emit({
    pid = e.pid, comm = e.comm, uid = e.uid, cap = e.cap, name = names[e.cap] and "CAP_" .. names[e.cap] or "?",
    audit = e.audit and 1 or 0, result = e.passed and "yes" or "no",
  }, { "pid", "comm", "uid", "cap", "name", "audit", "result" })
end)
