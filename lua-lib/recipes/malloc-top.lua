recipe {
  name = "malloc-top",
  summary = "Where a process allocates memory: bytes asked of malloc, calloc and realloc, by user stack",
  version = "1.0.0",
  category = "memory",
  options = {
    { name = "pid", short = "p", type = "integer", help = "trace only this process" },
    { name = "process", short = "P", type = "boolean", help = "by process instead of by stack" },
    { name = "top", short = "T", type = "integer", default = 10, help = "show only this many rows" },
    { name = "interval", short = "i", type = "duration", help = "show and start afresh so often" },
    { name = "library", short = "l", type = "string", default = "libc", help = "the library or program with malloc" },
  },
  examples = {
    [[
moontrace run -d 3 malloc-top -p 5102 -T 2
allocated
  __libc_calloc
  outer+0xe
  main+0x13
  libc.so.6+0x2724a
    sum 146 KiB

  malloc
  outer+0x9
  main+0x13
  libc.so.6+0x2724a
    sum 97.7 KiB]],
    "moontrace run -d 5 malloc-top -p 4711 -T 3   # the direct caller is missing: it has no frame yet",
  },
}

local bytes = sum { max = 65536 }

local function add(size)
  if opt.pid and pid ~= opt.pid then return end
  if opt.process then bytes[{ pid, comm }]:add(size) else bytes[ustack]:add(size) end
end

local at = "uprobe:" .. opt.library .. ":"
probe(at .. "malloc", function() add(arg0) end)
probe(at .. "calloc", function() add(arg0 * arg1) end)
probe(at .. "realloc", function()
  if arg0 ~= 0 then add(arg1) end -- else it calls malloc
end)

local function show()
  if opt.interval and output_format == "table" then print(strftime("%H:%M:%S")) end
  bytes:print { title = "allocated", unit = "bytes", top = opt.top }
  bytes:clear()
end
if opt.interval then every(opt.interval, show) end
at_exit(show)
