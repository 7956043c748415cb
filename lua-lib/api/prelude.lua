-- The user half of the script API (SPEC §2), over the host's primitives. Runs once, before the script, with the
-- table of host functions as its argument; what it leaves in _G is all that a script sees.
local host = ...

-- Parts that a run may not need are loaded when one of their names is first used.
local function load_bpf()
  return { bpf = load(host.library("bpf"), "=[moontrace bpf]")(host) }
end
local function load_names() return require "moontrace.names" end
local lazy = { bpf = load_bpf, syscall_name = load_names, errno_name = load_names, signal_name = load_names }

local kernel_values = {}
for name in ([[pid tid uid gid comm ppid pcomm cpu nsecs elapsed cgroup rand curtask kstack ustack func retval
  args arg0 arg1 arg2 arg3 arg4 arg5]]):gmatch("%S+") do
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

local Stream = {}
Stream.__index = Stream
Stream.__name = "stream"

--- Makes a stream that s:emit{…} feeds; without s:each(…) its records print themselves.
function stream()
  return setmetatable({ handlers = {} }, Stream)
end

function Stream:each(fn)
  check_function("each", fn)
  self.handlers[#self.handlers + 1] = fn
  return self
end

function Stream:emit(record)
  if #self.handlers == 0 then return emit(record) end
  for _, handler in ipairs(self.handlers) do handler(record) end
end

exit, output_format = host.exit, host.output_format()
ksym, usym, strftime, ntop = host.ksym, host.usym, host.strftime, host.ntop
