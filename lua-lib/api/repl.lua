-- What a session at a keyboard needs of Lua: values as readable text, and the names that may follow what is typed.
-- Gets the names that are loaded when first used, and those that have values only inside probes.
local host, lazy, kernel_values = ...

local LINE = 78 -- characters of a table that stays on one line
local DEPTH = 4 -- tables in tables
local ENTRIES = 40 -- of a table or map

-- Values

-- Text from the kernel must not drive the terminal.
local function escaped(text)
  text = text:gsub('[\\"]', "\\%0"):gsub("\n", "\\n"):gsub("\t", "\\t")
  return (text:gsub("[\0-\31\127]", function(byte) return ("\\x%02x"):format(byte:byte()) end))
end

local function printable(text)
  return (text:gsub("[\0-\8\11-\31\127]", function(byte) return ("\\x%02x"):format(byte:byte()) end))
end

-- What looks like an address is told in hexadecimal too.
local function number_text(number, is_alone)
  if is_alone and math.type(number) == "integer" and (number < -(1 << 31) or number >= 1 << 32) then
    return ("%d (0x%x)"):format(number, number)
  end
  return tostring(number)
end

local rank = { number = 1, string = 2 }

local function before(a, b)
  local one, other = rank[type(a)] or 3, rank[type(b)] or 3
  if one ~= other then return one < other end
  if one < 3 then return a < b end
  return tostring(a) < tostring(b)
end

local show_value

local function key_text(key, depth, seen)
  if type(key) == "string" and key:find("^[%a_][%w_]*$") then return key end
  return "[" .. show_value(key, depth, seen) .. "]"
end

-- The texts of a table's or map's entries: the list first, then the rest by key.
local function entries(value, depth, seen)
  local parts, rest, left = {}, {}, 0
  local length = getmetatable(value) and 0 or #value
  for i = 1, math.min(length, ENTRIES) do parts[i] = show_value(value[i], depth, seen) end
  for key, item in pairs(value) do
    local is_listed = math.type(key) == "integer" and key >= 1 and key <= length
    if not is_listed then rest[#rest + 1] = { key, item } end
  end
  table.sort(rest, function(a, b) return before(a[1], b[1]) end)
  for _, entry in ipairs(rest) do
    if #parts >= ENTRIES then break end
    parts[#parts + 1] = key_text(entry[1], depth, seen) .. " = " .. show_value(entry[2], depth, seen)
  end
  left = length + #rest - #parts
  if left > 0 then parts[#parts + 1] = "… " .. left .. " more" end
  return parts
end

local function table_text(value, depth, seen)
  if seen[value] then return "{ itself }" end
  if depth > DEPTH then return "{ … }" end
  seen[value] = true
  local parts = entries(value, depth + 1, seen)
  seen[value] = nil
  if #parts == 0 then return "{}" end
  local line = "{ " .. table.concat(parts, ", ") .. " }"
  if #line + 2 * depth <= LINE and not line:find("\n", 1, true) then return line end
  local indent = ("  "):rep(depth)
  return "{\n" .. indent .. "  " .. table.concat(parts, ",\n" .. indent .. "  ") .. "\n" .. indent .. "}"
end

function show_value(value, depth, seen)
  local kind, meta = type(value), getmetatable(value)
  if kind == "string" then return '"' .. escaped(value) .. '"' end
  if kind == "number" then return number_text(value, depth == 0) end
  if kind == "function" then return "function" end
  if type(meta) == "table" and meta.__name == "stream" then return "stream" end
  local is_iterable = type(meta) == "table" and meta.__pairs
  if is_iterable or (kind == "table" and not (meta and meta.__tostring)) then return table_text(value, depth, seen) end
  return printable(tostring(value))
end

-- A value by itself: aggregates as their pictures, text of several lines as it is.
local function show(value)
  local meta = getmetatable(value)
  if type(value) == "string" and value:find("\n", 1, true) then return printable(value) end
  if type(meta) == "table" and meta.__show then return meta.__show(value) end
  return show_value(value, 0, {})
end

--- Calls a chunk; the text of what it returns behind its first value, nil when that is nothing.
local function evaluate(chunk)
  local values = table.pack(chunk())
  if values.n < 2 then return nil end
  local texts = {}
  for i = 2, values.n do texts[i - 1] = show(values[i]) end
  return table.concat(texts, "\n")
end

-- Names

local function add_names(names, value)
  if type(value) ~= "table" then return end
  for name in next, value do
    if type(name) == "string" then names[name] = true end
  end
end

-- What may stand behind a value and a point; behind a colon, what its methods are.
local function add_members(names, value, is_method)
  local meta = getmetatable(value)
  if not is_method then add_names(names, value) end
  if type(meta) ~= "table" then return end
  add_names(names, rawget(meta, "__methods"))
  local index = rawget(meta, "__index")
  if is_method then add_names(names, index) end
end

local function sorted(names)
  local list = {}
  for name in pairs(names) do
    if name:find("^[%a_][%w_]*$") then list[#list + 1] = name end
  end
  table.sort(list)
  return list
end

--- The names that may follow `path`, a list of names from a global variable on; with none, the global ones.
local function members(path, is_method)
  local names, value = {}, _G
  if #path == 0 then
    add_names(names, lazy)
    add_names(names, _G)
    return sorted(names)
  end
  for _, name in ipairs(path) do
    if type(value) ~= "table" then return {} end
    local inner = rawget(value, name)
    if inner == nil and value == _G and lazy[name] then inner = _G[name] end
    value = inner
  end
  if type(value) == "string" then
    add_names(names, string)
  else
    add_members(names, value, is_method)
  end
  return sorted(names)
end

--- The names that have values only inside a probe function.
local function probe_names() return sorted(kernel_values) end

host.on_keyboard(evaluate, members, probe_names)
