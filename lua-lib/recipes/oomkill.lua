recipe {
  name = "oomkill",
  summary = "Trace processes that the kernel kills because memory ran out",
  version = "1.0.0",
  category = "memory",
  examples = {
    [[
moontrace oomkill
         PID COMM               KILLED_PID KILLED_COMM               LIMIT_PAGES CGROUP   MESSAGE
         206 hog                       206 hog                              5120 yes      Memory cgroup out of memory]],
    "moontrace run -f json oomkill   # by PID's demand for memory, KILLED_PID was killed",
  },
}

probe("kprobe:oom_kill_process", function(args)
  local oc = args.oc
  local killed = oc.chosen
  return {
    pid = pid, comm = comm, killed_pid = killed.tgid, killed_comm = killed.comm, limit_pages = oc.totalpages,
    cgroup = oc.memcg and "yes" or "no", message = str(args.message) or "",
  }
end)
