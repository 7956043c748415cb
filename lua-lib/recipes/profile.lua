recipe {
  name = "profile",
  summary = "Sample stacks on all CPUs: a flame graph, or folded lines ready for flamegraph.pl",
  version = "2.2.0",
  category = "cpu",
  options = {
    { name = "pid", short = "p", type = "integer", help = "sample only this process" },
    { name = "frequency", short = "F", type = "integer", default = 99, help = "samples per second and CPU" },
    { name = "user", short = "U", type = "boolean", help = "user stacks only" },
    { name = "kernel", short = "K", type = "boolean", help = "kernel stacks only" },
    { name = "flamegraph", type = "file", help = "draw a flame graph (SVG) instead of printing" },
  },
  examples = {
    [[
moontrace run -d 2 profile -U -p 10210 > out.folded && flamegraph.pl out.folded > out.svg
wlr2;[libc.so.6];main;spin;clock_gettime 1
wlr2;[libc.so.6];main;spin;clock_gettime;[vdso] 2
wlr2;[libc.so.6];main;spin;workload_spin 192]],
    "moontrace run -d 5 profile --flamegraph out.svg",
    "moontrace run -d 5 profile -K -F 499",
  },
}

local with_user, with_kernel = opt.user or not opt.kernel, opt.kernel or not opt.user
local samples = count{ max = 65536 }

-- Counted in the kernel and named at the end: a profile should not be of its own naming.
probe("profile:" .. opt.frequency, function()
  if pid == 0 or opt.pid and pid ~= opt.pid then return end -- 0 is the idle task
  if not with_kernel then samples[{ comm, ustack }]:add()
  elseif not with_user then samples[{ comm, kstack }]:add()
  else samples[{ comm, ustack, kstack }]:add() end
end)

-- Outermost first, each frame after a ';'. Names without +offset, so that samples of one function add up; by their file
-- those that have none, since addresses differ from process to process.
local function folded(stack)
  local text = ""
  for frame in stack:gmatch("[^\n]+") do
    frame = frame:find("^0x") and "[unknown]" or frame:gsub("^(.*%.so.*)%+0x%x+$", "[%1]"):gsub("%+0x%x+$", "")
    text = ";" .. frame .. text
  end
  return text
end

-- The sorted texts of both stacks, and how many samples each has.
local function counted()
  local stacks, counts = {}, {}
  for _, row in ipairs(samples:rows()) do
    local stack = row.key[1]:gsub(";", ":")
    for i = 2, #row.key do stack = stack .. folded(row.key[i]) end
    if not counts[stack] then stacks[#stacks + 1] = stack end
    counts[stack] = (counts[stack] or 0) + row.value
  end
  table.sort(stacks)
  return stacks, counts
end

at_exit(function()
  samples:flamegraph { file = opt.flamegraph, title = "CPU time", unit = "samples" }
  if opt.flamegraph then return end
  local stacks, counts = counted()
  for _, stack in ipairs(stacks) do
    if output_format == "table" then print(stack .. " " .. counts[stack])
    else emit({ stack = stack, count = counts[stack] }, { "stack", "count" }) end
  end
end)
