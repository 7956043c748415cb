#!/usr/bin/env moontrace
-- Every program that is started. The function runs in the kernel; what it returns prints itself. Try --format json.
probe("tracepoint:sched:sched_process_exec", function(args)
  return { pid = pid, ppid = ppid, comm = comm, file = args.filename }
end)
