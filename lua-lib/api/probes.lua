-- probe, stream, map and global: what the user half and the kernel half share, over the host's primitives.
local host = ...

local api = {}

local function check_function(name, value)
  if type(value) ~= "function" then host.raise(name .. ": expected a function, got " .. type(value)) end
end

local function with_article(noun) return (noun:find("^[aeiou]") and "an " or "a ") .. noun end

-- Refuses fields that `known` (name -> type) does not have, and values of another type.
local function check_options(caller, options, known)
  if options == nil then return {} end
  if type(options) ~= "table" then host.raise(caller .. ": expected a table of options, got " .. type(options)) end
  for name, value in pairs(options) do
    local wanted = known[name]
    if not wanted then
      host.raise(caller .. ": there is no option '" .. tostring(name) .. "'" .. host.hint(tostring(name), known))
    end
    local got = math.type(value) or type(value)
    if wanted ~= "any" and got ~= wanted then
      host.raise(caller .. ": " .. name .. " is " .. with_article(wanted) .. ", not " .. with_article(got))
    end
  end
  return options
end

-- Streams

local Stream = {}
Stream.__index = Stream
Stream.__name = "stream"

--- Makes a stream that probes and s:emit{…} feed; without s:each(…) its records print themselves.
function api.stream()
  local stream = setmetatable({ handlers = {} }, Stream)
  stream.number = host.stream_new(stream)
  return stream
end

--- Calls fn for every record.
function Stream:each(fn)
  check_function("each", fn)
  self.handlers[#self.handlers + 1] = fn
  host.stream_each(self.number, fn)
  return self
end

--- Sends a record from the user half.
function Stream:emit(record)
  if #self.handlers == 0 then return emit(record) end
  for _, handler in ipairs(self.handlers) do handler(record) end
end

-- Probes

local function checked_specs(specs)
  if type(specs) == "string" then return { specs } end
  if type(specs) ~= "table" then
    host.raise("probe: expected a probe spec such as \"tracepoint:sched:sched_switch\", got " .. type(specs))
  end
  if #specs == 0 then host.raise("probe: the list of probe specs is empty") end
  for i, spec in ipairs(specs) do
    if type(spec) ~= "string" then host.raise("probe: spec " .. i .. " is no string but a " .. type(spec)) end
  end
  return specs
end

--- Runs fn in the kernel at each place that SPEC, or a list of them, names; the stream of what it returns.
--- Options: optional = true: a SPEC without a match is no error; first = true: only the first SPEC that works here.
function api.probe(specs, fn, options)
  specs = checked_specs(specs)
  check_function("probe", fn)
  options = check_options("probe", options, { optional = "boolean", first = "boolean" })
  local stream = api.stream()
  host.probe(specs, fn, options.optional or false, options.first or false, stream.number)
  return stream
end

-- exit(code) in a probe arrives here.
host.exit_handler(function(event) host.exit(event.value) end)

-- Maps

-- map -> its state. The map itself stays empty, so that every read and write of it comes here.
local states = setmetatable({}, { __mode = "k" })

-- Keys that are equal for the kernel are one string here.
local function identity(key)
  if type(key) ~= "table" then return key end
  local parts = {}
  for i, part in ipairs(key) do
    local inner = identity(part)
    parts[i] = type(inner):sub(1, 1) .. #tostring(inner) .. ":" .. tostring(inner)
  end
  return table.concat(parts)
end

-- The kernel's map, once there is one.
local function opened(state)
  state.map = state.map or host.map_open(state.number)
  return state.map
end

local methods = {}
local Map = { __name = "map", __methods = methods }

function methods:get(key)
  local state = states[self]
  local map = opened(state)
  if map then return map:get(key) end
  local entry = state.pending[identity(key)]
  return entry and entry[2]
end

local function set_pending(state, key, value)
  if key == nil or key ~= key then host.raise("map: a key can't be " .. tostring(key)) end
  local id = identity(key)
  state.count = state.count + (value ~= nil and 1 or 0) - (state.pending[id] and 1 or 0)
  if state.count > (state.options.max or 10240) then
    state.count = state.count - 1
    host.raise("map: full (max is " .. (state.options.max or 10240) .. ")")
  end
  state.pending[id] = value ~= nil and { key, value } or nil
end

function methods:set(key, value)
  local state = states[self]
  local map = opened(state)
  if map then map:set(key, value) else set_pending(state, key, value) end
end

function methods:clear()
  local state = states[self]
  local map = opened(state)
  if map then map:clear() else state.pending, state.count = {}, 0 end
end

local function pending_list(state)
  local list = {}
  for _, entry in pairs(state.pending) do list[#list + 1] = entry end
  return list
end

--- A list of {key, value}, read and emptied.
function methods:drain()
  local state = states[self]
  local map = opened(state)
  if map then return map:drain() end
  local list = pending_list(state)
  state.pending, state.count = {}, 0
  return list
end

function methods:name() return host.map_name(states[self].number) end

function Map:__index(key)
  local method = methods[key]
  if method then return method end
  return methods.get(self, key)
end

function Map:__newindex(key, value)
  if methods[key] then
    host.raise("map: '" .. key .. "' is a method; to write this key use m:set('" .. key .. "', value)")
  end
  methods.set(self, key, value)
end

function Map:__pairs()
  local state = states[self]
  local map = opened(state)
  if map then return pairs(map) end
  local list, i = pending_list(state), 0
  return function()
    i = i + 1
    if list[i] then return list[i][1], list[i][2] end
  end
end

function Map:__len()
  local state = states[self]
  local map = opened(state)
  return map and #map or state.count
end

function Map:__tostring()
  local map = opened(states[self])
  return map and tostring(map) or "map '" .. host.map_name(states[self].number) .. "'"
end

--- Makes a map that both halves use: m[k], m[k] = v, pairs(m), #m, m:clear(), m:drain().
--- Options: max = entries (10240); lru = true: full, it drops what was not used for longest; percpu = true: each CPU
--- has its own values; key, value = types, where neither probes nor stored values show them.
function api.map(options)
  options = check_options("map", options, {
    max = "integer", lru = "boolean", percpu = "boolean", key = "any", value = "any",
  })
  local map = setmetatable({}, Map)
  local state = { options = options, pending = {}, count = 0 }
  states[map] = state
  local function store()
    for _, entry in pairs(state.pending) do opened(state):set(entry[1], entry[2]) end
    state.pending, state.count = {}, 0
  end
  state.number = host.map_new(map, options, function() return pending_list(state) end, store)
  return map
end

-- Globals

local Group = { __name = "globals" }
local groups = setmetatable({}, { __mode = "k" })

function Group:__index(name) return host.group_get(groups[self].number, tostring(name)) end

function Group:__newindex(name, value) host.group_set(groups[self].number, tostring(name), value) end

function Group:__pairs()
  return function(_, name)
    local following = next(groups[self].names, name)
    if following ~= nil then return following, self[following] end
  end
end

--- Makes scalars (integers and booleans) that both halves share: local g = global{ seen = 0 }; g.seen = g.seen + 1.
function api.global(initial)
  if type(initial) ~= "table" then
    host.raise("global: expected a table of names and initial values, got " .. type(initial))
  end
  local group, names = setmetatable({}, Group), {}
  groups[group] = { names = names }
  groups[group].number = host.group_new(group, initial)
  for name in pairs(initial) do names[name] = true end
  return group
end

api.identity, api.check_options = identity, check_options
return api
