-- count, sum, avg, min, max, stats, hist and lhist: what probes have counted, read and printed.
local host, shared = ...
local hist = require "moontrace.hist"
local units = require "moontrace.units"
local decoded = load(host.library("aggregate_values"), "=[moontrace aggregate_values]")(host)
local decode, Histogram = decoded.decode, decoded.Histogram

local api = {}
local methods = {}
local Aggregate = { __name = "aggregate", __methods = methods }
-- aggregate -> its number; aggregates that only probes name have none.
local numbers = setmetatable({}, { __mode = "k" })
local printed = {}

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

local function number_text(value, unit)
  if units.is_known(unit) then return units.text(value, unit) end
  if math.type(value) == "float" then return ("%.2f"):format(value) end
  return tostring(value)
end

local function value_cells(kind, value, unit)
  if kind ~= "stats" then return { number_text(value, unit) } end
  return {
    number_text(value.count), number_text(value.avg, unit), number_text(value.min, unit),
    number_text(value.max, unit), number_text(value.sum, unit),
  }
end

local function headings(kind, unit)
  if kind == "stats" then return { "count", "avg", "min", "max", "sum" } end
  return { unit and not units.is_known(unit) and kind .. " (" .. unit .. ")" or kind }
end

-- Of each row a bar behind its value; "" where one number is no size, or there is nothing to compare.
local function bars(list, kind)
  local most, texts = 0, {}
  for _, row in ipairs(list) do most = math.max(most, kind == "stats" and 0 or row.value) end
  for i, row in ipairs(list) do
    local share = #list > 1 and most > 0 and math.max(row.value, 0) / most or 0
    texts[i] = share > 0 and "  " .. ("*"):rep(math.floor(share * 30)) or ""
  end
  return texts
end

-- Text from the kernel must not drive the terminal.
local function visible(text)
  return (text:gsub("[\0-\9\11-\31\127]", function(byte) return ("\\x%02x"):format(byte:byte()) end))
end

local function heading(text) return output_color and "\27[1m" .. text .. "\27[0m" or text end

local function width_of(text) return utf8.len(text, 1, -1, true) or #text end

local function pad(text, width, right)
  local room = (" "):rep(width - width_of(text))
  return right and room .. text or text .. room
end

-- The texts of each row's key parts and values, and of each column its width and whether it stands to the right.
local function columns(list, kind, unit)
  local rows, widths, right, key_count = {}, {}, {}, 0
  for i, row in ipairs(list) do
    local cells, parts = {}, row.key == nil and {} or key_parts(row.key)
    key_count = #parts
    for j, part in ipairs(parts) do
      cells[j], right[j] = visible(key_text(part)), right[j] ~= false and math.type(part) ~= nil
    end
    for j, cell in ipairs(value_cells(kind, row.value, unit)) do cells[key_count + j], right[key_count + j] = cell, true end
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
  local rows, widths, right, key_count = columns(list, kind, unit)
  local cells, room, sizes = {}, width_of(title), bars(list, kind)
  for j, name in ipairs(headings(kind, unit)) do
    cells[key_count + j] = name
    widths[key_count + j] = math.max(widths[key_count + j], #name)
  end
  for i, row in ipairs(rows) do
    rows[i] = { joined(row, 1, key_count, widths, right, " "), joined(row, key_count + 1, #row, widths, right, "  ") }
    room = math.max(room, width_of(rows[i][1]))
  end
  local text = { heading(pad(title, room) .. "  " .. joined(cells, key_count + 1, #widths, widths, right, "  ")) }
  for i, row in ipairs(rows) do
    text[#text + 1] = ((pad(row[1], room) .. "  " .. row[2] .. sizes[i]):gsub(" +$", ""))
  end
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
    for j, cell in ipairs(value_cells(kind, row.value, unit)) do
      block[#block + 1] = "    " .. headings(kind, unit)[j] .. " " .. cell
    end
    text[i] = table.concat(block, "\n")
  end
  return (title == "" and "" or heading(title) .. "\n") .. table.concat(text, "\n\n")
end

-- Bounds without end are told as such.
local function drawn(rows, unit)
  local copies = {}
  local function text(number) return units.is_known(unit) and units.text(number, unit) or number end
  for i, row in ipairs(rows) do
    copies[i] = { min = row.min, max = row.max, count = row.count }
    if row.min == math.mininteger then copies[i].label = "< " .. text(row.max + 1) end
    if row.max == math.maxinteger then copies[i].label = ">= " .. text(row.min) end
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
    text[i] = hist.draw(drawn(row.value, unit), { title = heading, unit = unit })
  end
  return table.concat(text, "\n\n")
end

local function table_text(title, kind, list, has_key, unit)
  if kind == "hist" or kind == "lhist" then return pictures(title, list, has_key, unit) end
  local label = title == "" and "" or title .. ": "
  if #list == 0 then return label .. "(no values)" end
  if not has_key and kind ~= "stats" then
    return label .. number_text(list[1].value, unit) .. (unit and not units.is_known(unit) and " " .. unit or "")
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

local pictures
local function load_pictures()
  pictures = pictures or load(host.library("pictures"), "=[moontrace pictures]")(host, shared, {
    decode = decode, sort = sort, key_parts = key_parts, key_text = key_text, value_cells = value_cells,
    headings = headings, drawn = drawn,
  })
  return pictures
end

-- For a live view: the rows as values, which it sorts by the user's keys. False for what is only text.
local function show_table(title, kind, list, has_key, unit)
  if #list == 0 or not has_key and kind ~= "stats" or kind == "hist" or kind == "lhist" or has_lines(list) then
    return false
  end
  local columns, rows = { title }, {}
  for i, row in ipairs(list) do
    local cells, value = {}, row.value
    for j, part in ipairs(row.key == nil and { "" } or key_parts(row.key)) do
      cells[j], columns[j] = math.type(part) and part or key_text(part), columns[j] or ""
    end
    if kind == "stats" then value = { value.count, value.avg, value.min, value.max, value.sum } else value = { value } end
    table.move(value, 1, #value, #cells + 1, cells)
    rows[i] = cells
  end
  local first = #columns + 1
  table.move(headings(kind, unit), 1, 5, first, columns)
  host.top_table(columns, rows, first)
  return true
end

-- How many rows a live view reads, the largest: naming stacks takes its time.
local most_shown = 1000

local function print_number(number, options)
  local collects = host.top_collects()
  if host.reports() then load_pictures().remember(number, options) end
  local name, kind, list, has_key = read(number, host.aggregate_rows, options.top or collects and most_shown or nil)
  local title = options.title or name
  if collects and show_table(title, kind, list, has_key, options.unit) then return end
  if output_format == "json" then
    print_json(name, kind, list, has_key)
  elseif output_format == "csv" then
    print_csv(name, kind, list)
  else
    print(table_text(title, kind, list, has_key, options.unit))
  end
end

-- What scripts see

--- Prints it. Options: top = only so many rows; title ("" for none); unit = what the values are.
function methods:print(options)
  options = shared.check_options("print", options, { top = "integer", title = "string", unit = "string" })
  if options.top and options.top < 1 then host.raise("print: top is a number above 0, not " .. options.top) end
  printed[numbers[self]] = true
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

-- What the script takes away is the report's all the same.
local function drain_rows(number)
  local rows = host.aggregate_drain(number)
  if host.reports() then load_pictures().keep(number, rows) end
  return rows
end

--- A list of {key =, value =}, the largest first. Without keys it is one row, or none while nothing was counted.
function methods:rows() return take_rows(self, host.aggregate_rows) end

--- The same, and starts over: each count is in the rows of one drain, none is lost.
function methods:drain() return take_rows(self, drain_rows) end

--- Starts over.
function methods:clear()
  if host.reports() then drain_rows(numbers[self]) else host.aggregate_clear(numbers[self]) end
end

--- Draws what was counted by stacks. Options: file = where to write it, an SVG; title; unit = what is counted.
function methods:flamegraph(options)
  printed[numbers[self]] = true
  load_pictures().aggregate_flamegraph(numbers[self], options)
end

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

function methods.add() host.raise("an aggregate takes values in a probe only: a:add(v) or a[key]:add(v)") end

function Aggregate:__index(key)
  local method = methods[key]
  if method then return method end
  return methods.value(self, key)
end

function Aggregate:__newindex()
  host.raise("an aggregate takes values in a probe only: a:add(v) or a[key]:add(v)")
end

-- How a REPL shows it: as it prints.
function Aggregate:__show()
  local name, kind, list, has_key = read(numbers[self], host.aggregate_rows)
  return table_text(name, kind, list, has_key)
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
  local values = { low, high, step }
  for i, name in ipairs({ "low", "high", "step" }) do
    if math.type(values[i]) ~= "integer" then host.raise("lhist: expected integers: lhist(low, high, step); " .. name
      .. " is " .. tostring(values[i])) end
  end
  return new("lhist", options, low, high, step)
end

--- Prints all aggregates, and again at the end; for --top.
function api.print_all()
  for number = 0, host.aggregate_count() - 1 do print_number(number, {}) end
end

--- Draws stacks that a script has counted itself; see api/pictures.lua.
function api.flamegraph(rows, options) load_pictures().flamegraph(rows, options) end

--- Prints the aggregates that have not been printed, and hands them all to the report; for the end of a run.
function api.print_rest()
  if host.reports() then load_pictures().report_rest() end
  for number = 0, host.aggregate_count() - 1 do
    if not printed[number] and host.aggregate_is_used(number) then print_number(number, {}) end
  end
end

return api
