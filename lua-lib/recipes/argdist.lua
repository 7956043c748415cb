recipe {
  name = "argdist",
  summary = "Histogram or counts of a function's argument or result",
  version = "1.0.0",
  category = "functions",
  options = {
    { name = "pid", short = "p", type = "integer", help = "only this process" },
    { name = "arg", short = "a", type = "integer", default = 0, choices = { 0, 1, 2, 3, 4, 5 },
      help = "the argument's number" },
    { name = "result", short = "r", type = "boolean", help = "the result instead of an argument" },
    { name = "count", short = "C", type = "boolean", help = "count each value instead of a histogram" },
    { name = "top", short = "T", type = "integer", default = 20, help = "with -C show only this many values" },
  },
  examples = {
    [[
moontrace run -c 'dd if=/dev/zero of=/dev/null bs=700 count=5000' argdist -r -C -T 3 vfs_read
vfs_read  count
700        5000  ******************************
784           4
832           2]],
    "moontrace argdist -a 2 vfs_read   # sizes asked for; -r: bytes read",
  },
}

local target = arg[1] or error("which function? For example vfs_read, or libc:malloc", 0)
local is_user = target:find(":", 1, true)
local kind = (is_user and "u" or "k") .. (opt.result and "ret" or "") .. "probe:"
local values = opt.count and count() or hist()

local function add(value)
  if opt.pid and pid ~= opt.pid then return end
  if opt.count then values[value]:add(1) else values:add(value) end
end

if opt.result then
  probe(kind .. target, function() add(retval) end)
else
  local which = opt.arg
  probe(kind .. target, function()
    add(which == 0 and arg0 or which == 1 and arg1 or which == 2 and arg2 or which == 3 and arg3
      or which == 4 and arg4 or arg5)
  end)
end

at_exit(function()
  values:print { title = target, top = opt.count and opt.top or nil, unit = not opt.count and "value" or nil }
end)
