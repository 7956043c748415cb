-- The user half of the script API (SPEC §2), over the host's primitives. Runs once, before the script, with the
-- table of host functions as its argument; what it leaves in _G is all that a script sees.
local host = ...

-- Parts that a run may not need are loaded when one of their names is first used.
local function load_bpf()
  return { bpf = load(host.library("bpf"), "=[moontrace bpf]")(host) }
end
local function load_names() return require "moontrace.names" end
local probes, aggregates
local function load_probes()
  probes = probes or load(host.library("probes"), "=[moontrace probes]")(host)
  return probes
end
local function load_aggregates()
  aggregates = aggregates or load(host.library("aggregates"), "=[moontrace aggregates]")(host, load_probes())
  return aggregates
end
local lazy = { bpf = load_bpf, syscall_name = load_names, errno_name = load_names, signal_name = load_names }
for name in ("probe stream map global"):gmatch("%S+") do lazy[name] = load_probes end
for name in ("count sum avg min max stats hist lhist flamegraph"):gmatch("%S+") do lazy[name] = load_aggregates end

local kernel_values = {}
for name in ([[pid tid uid gid comm ppid pcomm cpu nsecs elapsed cgroup rand curtask kstack ustack func retval
  args arg0 arg1 arg2 arg3 arg4 arg5 str kstr buf cast reg signal override]]):gmatch("%S+") do
  kernel_values[name] = true
end

local function missing_global(_, name)
  if lazy[name] then
    local value = lazy[name]()[name]
    rawset(_G, name, value)
    return value
  end
  if kernel_values[name] then
    host.raise("'" .. name .. "' has a value only inside a probe function")
  end
end

setmetatable(_G, { __index = missing_global, __metatable = false })

host.on_finish(function() load_aggregates().print_rest() end)
host.on_top(function() load_aggregates().print_all() end)
host.on_interaction(function() load(host.library("repl"), "=[moontrace repl]")(host, lazy, kernel_values) end)

-- --pid is opt.pid also where no recipe header declares it.
opt = setmetatable({}, {
  __index = function(_, name)
    if name == "pid" then return host.pid() end
    host.raise("opt." .. tostring(name) .. ": this script has no recipe header that declares its options")
  end,
})

--- Declares what the script is and which options it takes; the first statement of a recipe.
function recipe(header)
  if type(header) ~= "table" then host.raise("recipe: expected a table, got " .. type(header)) end
  local values, names, positional = host.recipe(header)
  if values.pid == nil then values.pid = host.pid() end
  names.pid = true
  opt = setmetatable(values, {
    __index = function(_, name)
      if not names[name] then
        host.raise("the recipe has no option '" .. tostring(name) .. "'" .. host.hint(tostring(name), names))
      end
    end,
  })
  table.move(positional, 1, math.max(#positional, #arg), 1, arg)
end

local function check_function(name, value)
  if type(value) ~= "function" then host.raise(name .. ": expected a function, got " .. type(value)) end
end

local function check_seconds(name, value)
  if type(value) ~= "number" or not (value > 0) then
    host.raise(name .. ": expected a number of seconds above 0, got " .. tostring(value))
  end
end

--- Calls fn each `seconds`.
function every(seconds, fn)
  check_seconds("every", seconds)
  check_function("every", fn)
  host.every(seconds + 0.0, fn)
end

--- Calls fn once, `seconds` from now.
function after(seconds, fn)
  check_seconds("after", seconds)
  check_function("after", fn)
  host.after(seconds + 0.0, fn)
end

--- Calls fn when the trace ends, after the last event.
function at_exit(fn)
  check_function("at_exit", fn)
  host.at_exit(fn)
end

-- Probes have it too; in both halves: s:startswith("…").
function string.startswith(text, beginning)
  return string.sub(text, 1, #beginning) == beginning
end

exit, output_format, output_color = host.exit, host.output_format(), host.output_color()
output_is_utf8 = host.output_is_utf8()
ksym, usym, strftime, ntop = host.ksym, host.usym, host.strftime, host.ntop

if host.has_top_screen() then load(host.library("top"), "=[moontrace top]")(host) end
