--- Shows maps as records.
local maps = {}

local function is_before(a, b)
  if math.type(a[2]) and math.type(b[2]) and a[2] ~= b[2] then return a[2] > b[2] end
  return tostring(a[1]) < tostring(b[1])
end

--- Emits a map's entries, the largest values first: a column for each of `keys`, and the value under `name`.
--- maps.show(seen, "seen", { "pid", "comm" })
function maps.show(map, name, keys)
  local entries = {}
  for key, value in pairs(map) do entries[#entries + 1] = { key, value } end
  table.sort(entries, is_before)
  local columns = { table.unpack(keys) }
  for _, column in ipairs(keys) do
    if column == name then name = name .. "[]" end
  end
  columns[#columns + 1] = name
  for _, entry in ipairs(entries) do
    local parts = #keys > 1 and entry[1] or { entry[1] }
    local record = { [name] = entry[2] }
    for i, column in ipairs(keys) do record[column] = parts[i] end
    emit(record, columns)
  end
end

return maps
