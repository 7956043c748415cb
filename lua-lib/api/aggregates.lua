-- count, sum, avg, min, max, stats, hist and lhist: what probes have counted, read and printed.
local host, shared = ...
local hist = require "moontrace.hist"

local api = {}
local Aggregate = { __name = "aggregate" }
local methods = {}
-- aggregate -> its number; aggregates that only probes name have none.
local numbers = setmetatable({}, { __mode = "k" })
local printed = {}

-- Values

local Histogram = { __name = "histogram" }
Histogram.__index = Histogram

--- The value that `percent` of the counted values do not exceed; nil when nothing was counted.
function Histogram:percentile(percent)
  if type(percent) ~= "number" or not (percent >= 0 and percent <= 100) then
    host.raise("percentile: expected 0 to 100, got " .. tostring(percent))
  end
  return hist.percentile(self, percent)
end

local function exact_mean(count, sum)
  if count == 0 then return nil end
  if sum % count == 0 then return sum // count end
  return sum / count
end

-- From the kernel's words to the value that scripts see.
local values = {
  count = function(row) return row[2] end,
  sum = function(row) return row[2] end,
  avg = function(row) return exact_mean(row[2], row[3]) end,
  min = function(row) return row[3] end,
  max = function(row) return row[3] end,
  stats = function(row)
    return { count = row[2], sum = row[3], avg = exact_mean(row[2], row[3]), min = row[4], max = row[5] }
  end,
}

-- Closed bounds of bucket `index`.
local function log2_bounds(index)
  if index == 0 then return math.mininteger, -1 end
  if index == 1 then return 0, 0 end
  local low = 1 << (index - 2)
  return low, low - 1 + low
end

local function linear_bounds(low, high, step)
  local last = 1 + (high - low + step - 1) // step
  return function(index)
    if index == 0 then return math.mininteger, low - 1 end
    if index == last then return high, math.maxinteger end
    local from = low + (index - 1) * step
    return from, math.min(from + step - 1, high - 1)
  end
end

-- Rows {key, count, bucket, number} to one {key, value} for each number.
local function histograms(rows, bounds)
  local groups = {}
  for _, row in ipairs(rows) do
    local group = groups[row[4]] or { key = row[1], counts = {}, first = row[3], last = row[3] }
    groups[row[4]] = group
    group.counts[row[3]] = row[2]
    group.first, group.last = math.min(group.first, row[3]), math.max(group.last, row[3])
  end
  local list = {}
  for _, group in ipairs(groups) do
    local value = setmetatable({}, Histogram)
    for index = group.first, group.last do
      local min, max = bounds(index)
      value[#value + 1] = { min = min, max = max, count = group.counts[index] or 0 }
    end
    list[#list + 1] = { key = group.key, value = value }
  end
  return list
end

local function decode(kind, rows, low, high, step)
  if kind == "hist" then return histograms(rows, log2_bounds) end
  if kind == "lhist" then return histograms(rows, linear_bounds(low, high, step)) end
  local list = {}
  for _, row in ipairs(rows) do list[#list + 1] = { key = row[1], value = values[kind](row) } end
  return list
end

-- Order

local function magnitude(value)
  if type(value) ~= "table" then return value end
  if value.count then return value.count end
  local total = 0
  for _, row in ipairs(value) do total = total + row.count end
  return total
end

local function key_text(key)
  if key == nil then return "" end
  if type(key) ~= "table" then return tostring(key) end
  local parts = {}
  for i, part in ipairs(key) do parts[i] = key_text(part) end
  return table.concat(parts, ", ")
end

-- Largest first; equal ones by key, so that output is the same each time.
local function sort(list)
  for _, row in ipairs(list) do row.order, row.text = magnitude(row.value), key_text(row.key) end
  table.sort(list, function(a, b)
    if a.order ~= b.order then return a.order > b.order end
    if math.type(a.key) and math.type(b.key) then return a.key < b.key end
    return a.text < b.text
  end)
  return list
end

-- What number `number` holds: name, kind, rows, and whether they have keys. `get_rows` reads them from the kernel; `top`:
-- how many are wanted, the largest.
local function read(number, get_rows, top)
  local name, kind, low, high, step = host.aggregate_about(number)
  local list = decode(kind, get_rows(number, top), low, high, step)
  local has_key = host.aggregate_has_key(number)
  if not has_key then
    for _, row in ipairs(list) do row.key = nil end
  end
  sort(list)
  if top then list = table.move(list, 1, math.min(top, #list), 1, {}) end
  return name, kind, list, has_key
end

-- Printing

local function key_parts(key)
  return type(key) == "table" and key or { key }
end

local function number_text(value)
  if math.type(value) == "float" then return ("%.2f"):format(value) end
  return tostring(value)
end

local function value_cells(kind, value)
  if kind ~= "stats" then return { number_text(value) } end
  return {
    number_text(value.count), number_text(value.avg), number_text(value.min), number_text(value.max),
    number_text(value.sum),
  }
end

local function headings(kind, unit)
  if kind == "stats" then return { "count", "avg", "min", "max", "sum" } end
  return { unit and kind .. " (" .. unit .. ")" or kind }
end

-- Text from the kernel must not drive the terminal.
local function visible(text)
  return (text:gsub("[\0-\9\11-\31\127]", function(byte) return ("\\x%02x"):format(byte:byte()) end))
end

local function width_of(text) return utf8.len(text, 1, -1, true) or #text end

local function pad(text, width, right)
  local room = (" "):rep(width - width_of(text))
  return right and room .. text or text .. room
end

-- The texts of each row's key parts and values, and of each column its width and whether it stands to the right.
local function columns(list, kind)
  local rows, widths, right, key_count = {}, {}, {}, 0
  for i, row in ipairs(list) do
    local cells, parts = {}, row.key == nil and {} or key_parts(row.key)
    key_count = #parts
    for j, part in ipairs(parts) do
      cells[j], right[j] = visible(key_text(part)), right[j] ~= false and math.type(part) ~= nil
    end
    for j, cell in ipairs(value_cells(kind, row.value)) do cells[key_count + j], right[key_count + j] = cell, true end
    for j, cell in ipairs(cells) do widths[j] = math.max(widths[j] or 0, width_of(cell)) end
    rows[i] = cells
  end
  return rows, widths, right, key_count
end

-- The columns from `first` to `last` of a row.
local function joined(cells, first, last, widths, right, separator)
  local parts = {}
  for j = first, last do parts[#parts + 1] = pad(cells[j], widths[j], right[j]) end
  return table.concat(parts, separator)
end

-- Rows under a title: parts of keys to the left (numbers to the right), values to the right.
local function lines(title, list, kind, unit)
  local rows, widths, right, key_count = columns(list, kind)
  local cells, room = {}, width_of(title)
  for j, name in ipairs(headings(kind, unit)) do
    cells[key_count + j] = name
    widths[key_count + j] = math.max(widths[key_count + j], #name)
  end
  for i, row in ipairs(rows) do
    rows[i] = { joined(row, 1, key_count, widths, right, " "), joined(row, key_count + 1, #row, widths, right, "  ") }
    room = math.max(room, width_of(rows[i][1]))
  end
  local text = { pad(title, room) .. "  " .. joined(cells, key_count + 1, #widths, widths, right, "  ") }
  for _, row in ipairs(rows) do text[#text + 1] = pad(row[1], room) .. "  " .. row[2] end
  return table.concat(text, "\n")
end

local function has_lines(list)
  for _, row in ipairs(list) do
    if row.text:find("\n", 1, true) then return true end
  end
  return false
end

-- Stacks: the frames one below the other, and their value under them.
local function blocks(title, list, kind, unit)
  local text = {}
  for i, row in ipairs(list) do
    local block = {}
    for _, part in ipairs(key_parts(row.key)) do
      for line in visible(key_text(part)):gmatch("[^\n]+") do block[#block + 1] = "  " .. line end
    end
    for j, cell in ipairs(value_cells(kind, row.value)) do
      block[#block + 1] = "    " .. headings(kind, unit)[j] .. " " .. cell
    end
    text[i] = table.concat(block, "\n")
  end
  return (title == "" and "" or title .. "\n") .. table.concat(text, "\n\n")
end

-- Bounds without end are told as such.
local function drawn(rows)
  local copies = {}
  for i, row in ipairs(rows) do
    copies[i] = { min = row.min, max = row.max, count = row.count }
    if row.min == math.mininteger then copies[i].label = "< " .. row.max + 1 end
    if row.max == math.maxinteger then copies[i].label = ">= " .. row.min end
  end
  return copies
end

local function pictures(title, list, has_key, unit)
  if title == "" then title = nil end
  if #list == 0 then return hist.draw({}, { title = title }) end
  local text = {}
  for i, row in ipairs(list) do
    local heading = title
    if has_key then heading = title and title .. " = " .. row.text or row.text end
    text[i] = hist.draw(drawn(row.value), { title = heading, unit = unit })
  end
  return table.concat(text, "\n\n")
end

local function table_text(title, kind, list, has_key, unit)
  if kind == "hist" or kind == "lhist" then return pictures(title, list, has_key, unit) end
  local label = title == "" and "" or title .. ": "
  if #list == 0 then return label .. "(no values)" end
  if not has_key and kind ~= "stats" then
    return label .. number_text(list[1].value) .. (unit and " " .. unit or "")
  end
  return (has_lines(list) and blocks or lines)(title, list, kind, unit)
end

local function print_json(name, kind, list, has_key)
  local data = {}
  for i, row in ipairs(list) do data[i] = { key = has_key and key_parts(row.key) or {}, value = row.value } end
  emit({ aggregate = name, type = kind, data = data }, { "aggregate", "type", "data" })
end

local function print_csv(name, kind, list)
  for _, row in ipairs(list) do
    local record = { aggregate = name, key = row.text }
    local columns = { "aggregate", "key", "value" }
    if kind == "stats" then
      columns = { "aggregate", "key", "count", "avg", "min", "max", "sum" }
      for _, column in ipairs(columns) do record[column] = record[column] or row.value[column] end
      emit(record, columns)
    elseif kind == "hist" or kind == "lhist" then
      columns = { "aggregate", "key", "min", "max", "count" }
      for _, bucket in ipairs(row.value) do
        emit({ aggregate = name, key = row.text, min = bucket.min, max = bucket.max, count = bucket.count }, columns)
      end
    else
      record.value = row.value
      emit(record, columns)
    end
  end
end

local function print_number(number, options)
  printed[number] = true
  local name, kind, list, has_key = read(number, host.aggregate_rows, options.top)
  if output_format == "json" then
    print_json(name, kind, list, has_key)
  elseif output_format == "csv" then
    print_csv(name, kind, list)
  else
    print(table_text(options.title or name, kind, list, has_key, options.unit))
  end
end

-- What scripts see

--- Prints it. Options: top = only so many rows; title ("" for none); unit = what the values are.
function methods:print(options)
  options = shared.check_options("print", options, { top = "integer", title = "string", unit = "string" })
  if options.top and options.top < 1 then host.raise("print: top is a number above 0, not " .. options.top) end
  print_number(numbers[self], options)
end

-- What the script takes is the script's to show: it is not printed at the end.
local function take_rows(self, get_rows)
  printed[numbers[self]] = true
  local _, _, list = read(numbers[self], get_rows)
  local rows = {}
  for i, row in ipairs(list) do rows[i] = { key = row.key, value = row.value } end
  return rows
end

--- A list of {key =, value =}, the largest first. Without keys it is one row, or none while nothing was counted.
function methods:rows() return take_rows(self, host.aggregate_rows) end

--- The same, and starts over: each count is in the rows of one drain, none is lost.
function methods:drain() return take_rows(self, host.aggregate_drain) end

--- Starts over.
function methods:clear() host.aggregate_clear(numbers[self]) end

--- The value of a key, also of one that is called like a method; without a key, of an aggregate that has none. nil when nothing was counted.
function methods:value(key)
  local number = numbers[self]
  local _, kind, low, high, step = host.aggregate_about(number)
  local row = decode(kind, host.aggregate_row(number, key), low, high, step)[1]
  return row and row.value
end

--- Of a histogram without keys: the value that `percent` of the counted values do not exceed.
function methods:percentile(percent)
  local value = methods.value(self)
  if value ~= nil and getmetatable(value) ~= Histogram then
    host.raise("percentile: only a histogram has percentiles")
  end
  return value and value:percentile(percent)
end

function Aggregate:__index(key)
  local method = methods[key]
  if method then return method end
  return methods.value(self, key)
end

function Aggregate:__newindex()
  host.raise("an aggregate takes values in a probe only: a:add(v) or a[key]:add(v)")
end

function Aggregate:__tostring()
  local name, kind = host.aggregate_about(numbers[self])
  return kind .. " '" .. name .. "'"
end

local function new(kind, options, ...)
  options = shared.check_options(kind, options, { max = "integer", name = "string" })
  if options.max and options.max < 1 then host.raise(kind .. ": max is a number above 0, not " .. options.max) end
  local aggregate = setmetatable({}, Aggregate)
  numbers[aggregate] = host.aggregate_new(aggregate, kind, options.max, options.name, ...)
  return aggregate
end

for kind in ("count sum avg min max stats hist"):gmatch("%S+") do
  --- Makes an aggregate. Options: max = keys (10240); name.
  api[kind] = function(options) return new(kind, options) end
end

--- Makes a histogram of equal steps from low to high; what lies outside is counted too.
function api.lhist(low, high, step, options)
  for name, value in pairs({ low = low or false, high = high or false, step = step or false }) do
    if math.type(value) ~= "integer" then host.raise("lhist: expected integers: lhist(low, high, step); " .. name
      .. " is " .. tostring(value)) end
  end
  if step < 1 or high <= low then host.raise("lhist: expected low < high and a step above 0") end
  return new("lhist", options, low, high, step)
end

--- Prints the aggregates that have not been printed; for the end of a run.
function api.print_rest()
  for number = 0, host.aggregate_count() - 1 do
    if not printed[number] then print_number(number, {}) end
  end
end

return api
