#!/usr/bin/env moontrace
-- Programs that are started: a first tool, to be made into your own.
recipe {
  name = "mytool",
  summary = "Trace programs that are started",
  version = "0.1.0",
  options = {
    { name = "name", short = "n", type = "string", help = "only programs of this name" },
  },
  examples = { "moontrace -d 10 mytool.lua --name sh" },
}

-- The function runs in the kernel. What it returns is an event, and prints itself; add :each(function(event) … end) behind
-- the probe to do something else with it. 'moontrace list -v GLOB' shows what a place hands over in args.
probe("tracepoint:sched:sched_process_exec", function(args)
  if opt.name and comm ~= opt.name then return end
  return { pid = pid, ppid = ppid, comm = comm, file = str(args.filename) }
end)
