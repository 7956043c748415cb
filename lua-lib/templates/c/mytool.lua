#!/usr/bin/env moontrace
-- Programs that are started: the user half. mytool.bpf.c, which clang compiles on the first run, is the kernel half.
recipe {
  name = "mytool",
  summary = "Trace programs that are started",
  version = "0.1.0",
  options = {
    { name = "name", short = "n", type = "string", help = "only programs of this name" },
  },
  examples = { "moontrace -d 10 mytool.lua --name sh" },
}

local object = bpf.object("mytool.bpf.c")
if opt.name then object.globals.name = opt.name end

-- Without a handler the events would print themselves, with all of their members.
object.maps.events:each(function(event)
  emit({ pid = event.pid, ppid = event.ppid, comm = event.comm, file = event.file }, { "pid", "ppid", "comm", "file" })
end)

object:attach()
