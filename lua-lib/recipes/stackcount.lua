recipe {
  name = "stackcount",
  summary = "Count the stacks that lead to a function or another event",
  version = "1.0.0",
  category = "functions",
  options = {
    { name = "pid", short = "p", type = "integer", help = "count only this process" },
    { name = "user", short = "U", type = "boolean", help = "user stacks instead of the kernel's" },
    { name = "process", short = "P", type = "boolean", help = "by process too" },
    { name = "top", short = "T", type = "integer", default = 20, help = "show only this many stacks" },
  },
  examples = {
    [[
moontrace stackcount vfs_fsync_range
vfs_fsync_range
  vfs_fsync_range+0x1
  __x64_sys_fsync+0x37
  do_syscall_64+0x5d
  entry_SYSCALL_64_after_hwframe+0x6e
    count 1]],
    "moontrace stackcount -U -p 4711 libc:malloc   # user stacks that lead to a function of a library",
    "moontrace stackcount t:sched:sched_switch   # any probe spec",
  },
}

local target = arg[1] or error("which function? For example vfs_fsync_range, libc:malloc or t:sched:sched_switch", 0)
local kinds = { k = true, kprobe = true, f = true, fentry = true, p = true, profile = true }
local first, rest = target:match("^([^:]+):(.*)$")
local is_library = first and not rest:find(":", 1, true) and not kinds[first]
local is_user = opt.user or is_library
local stacks = count()

probe(not first and "kprobe:" .. target or is_library and "uprobe:" .. target or target, function()
  if opt.pid and pid ~= opt.pid then return end
  if opt.process and is_user then
    stacks[{ pid, comm, ustack }]:add(1)
  elseif opt.process then
    stacks[{ pid, comm, kstack }]:add(1)
  elseif is_user then
    stacks[ustack]:add(1)
  else
    stacks[kstack]:add(1)
  end
end)

at_exit(function() stacks:print { title = target, top = opt.top } end)
