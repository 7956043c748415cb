-- With --top on a terminal, the records that a timer emits become a table of the live view, which its keys sort.
local host = ...
local plain = emit

local function text_of(value)
  if type(value) ~= "table" then return tostring(value) end
  local parts = {}
  for i, part in ipairs(value) do parts[i] = text_of(part) end
  return table.concat(parts, ", ")
end

local function cell(value)
  if value == nil then return "-" end
  return math.type(value) and value or text_of(value)
end

-- The columns as `emit` would have them; nil for a record that it refuses.
local function columns_of(record, columns)
  if columns ~= nil then return type(columns) == "table" and #columns > 0 and columns or nil end
  local names = {}
  for name in pairs(record) do
    if type(name) ~= "string" then return nil end
    names[#names + 1] = name
  end
  table.sort(names)
  return #names > 0 and names or nil
end

function emit(record, columns)
  local names = type(record) == "table" and host.top_collects() and columns_of(record, columns)
  if not names then return plain(record, columns) end
  local cells = {}
  for i, name in ipairs(names) do cells[i] = cell(record[name]) end
  host.top_row(names, cells)
end
