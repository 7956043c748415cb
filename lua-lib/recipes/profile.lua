recipe {
  name = "profile",
  summary = "Sample stacks on all CPUs: a flame graph, or folded lines ready for flamegraph.pl",
  version = "2.1.0",
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
local samples = {} -- by the text of both stacks

-- Outermost first, each frame after a ';'. Names without +offset, so that samples of one function add up; by their file
-- those that have none, since addresses differ from process to process.
local function folded(stack)
  local text = ""
  for frame in (stack or ""):gmatch("[^\n]+") do
    frame = frame:find("^0x") and "[unknown]" or frame:gsub("^(.*%.so.*)%+0x%x+$", "[%1]"):gsub("%+0x%x+$", "")
    text = ";" .. frame .. text
  end
  return text
end

-- One event a sample, named while the process lives: afterwards nothing tells which files its addresses belong to.
probe("profile:" .. opt.frequency, function()
  if pid == 0 or opt.pid and pid ~= opt.pid then return end -- 0 is the idle task
  return { comm = comm, user = with_user and ustack or nil, kernel = with_kernel and kstack or nil }
end):each(function(e)
  local stack = e.comm:gsub(";", ":") .. folded(e.user) .. folded(e.kernel)
  local sample = samples[stack]
  if sample then sample.value = sample.value + 1
  else samples[stack] = { root = e.comm, user = e.user, kernel = e.kernel, value = 1 } end
end)

at_exit(function()
  local stacks, rows = {}, {}
  for stack in pairs(samples) do stacks[#stacks + 1] = stack end
  table.sort(stacks)
  for i, stack in ipairs(stacks) do rows[i] = samples[stack] end
  flamegraph(rows, { file = opt.flamegraph, title = "CPU time", unit = "samples" })
  if opt.flamegraph then return end
  for i, stack in ipairs(stacks) do
    if output_format == "table" then print(stack .. " " .. rows[i].value)
    else emit({ stack = stack, count = rows[i].value }, { "stack", "count" }) end
  end
end)
