-- Histograms: the counts that a BPF program keeps per slot, as rows, text pictures and percentiles.
--
--   local hist = require "moontrace.hist"
--   hist.print_log2(o.maps.latency[0].slots, { unit = "usecs" })
--
--   usecs     : count  distribution
--   0 -> 1    :     3  |************                            |
--   2 -> 3    :    10  |****************************************|
--
-- Slots are a list of counts, slot 0 first: a Lua list, or a table indexed from 0. Options, all of them optional:
--   title  a line above the picture
--   name   the aggregate's name in JSON, the title unless told
--   unit   what the values are, the heading of their column; ns, us, ms, s and bytes read as times and sizes
--   width  the characters of the longest bar, 40 unless told
--   step, low  of linear histograms: slot i counts the values from low + i * step up to the next slot's
-- The print functions follow --format: a picture in tables, one aggregate object in JSON, a line per row in CSV.

local units = require "moontrace.units"

local hist = {}

local function check_slots(slots)
  if type(slots) ~= "table" then error("hist: expected a list of counts, got " .. type(slots), 0) end
  local first = slots[0] ~= nil and 0 or 1
  local last = first - 1
  for index, count in pairs(slots) do
    if math.type(index) ~= "integer" or index < first then
      error("hist: expected a list of counts, found the key " .. tostring(index), 0)
    end
    if math.type(count) ~= "integer" or count < 0 then
      error("hist: slot " .. index - first .. ": expected a count, got " .. tostring(count), 0)
    end
    if count > 0 and index > last then last = index end
  end
  return first, last
end

-- Bounds that Lua's integers can't hold, from 2^63 on, stop at the largest.
local function log2_bounds(slot)
  if slot == 0 then return 0, 1 end
  if slot >= 63 then return math.maxinteger, math.maxinteger end
  return 1 << slot, (1 << slot) - 1 + (1 << slot)
end

local function check_integer(name, value, default, least)
  if value == nil then return default end
  local integer = math.tointeger(value)
  if not integer or integer < least then
    error("hist: " .. name .. " must be an integer" .. (least == math.mininteger and "" or " of at least " .. least)
      .. ", got " .. tostring(value), 0)
  end
  return integer
end

local function bounds_function(options)
  if options.step == nil then return log2_bounds end
  local step = check_integer("step", options.step, nil, 1)
  local low = check_integer("low", options.low, 0, math.mininteger)
  return function(slot)
    local start = low + slot * step
    return start, start + step - 1
  end
end

--- The rows from the first slot that counted something to the last, as a list of {min, max, count} with closed bounds;
--- linear when options.step is given, else by powers of two: slot i counts the values from 2^i to 2^(i+1)-1, slot 0
--- also 0.
function hist.rows(slots, options)
  local bounds = bounds_function(options or {})
  local first, last = check_slots(slots)
  local rows = {}
  for index = first, last do
    local count = slots[index] or 0
    if count > 0 or #rows > 0 then
      local min, max = bounds(index - first)
      rows[#rows + 1] = { min = min, max = max, count = count }
    end
  end
  return rows
end

-- The bounds of a row as text: closed, as they are; half-open where the unit reads as time or size.
local function bounds_texts(row, unit)
  if not units.is_known(unit) then return tostring(row.min), tostring(row.max) end
  return units.text(row.min, unit), units.text(row.max == math.maxinteger and row.max or row.max + 1, unit)
end

--- What stands for the range of each row, aligned: `4 -> 7`, with a known unit `[4 ms, 8 ms)`. A row's own `label`, if it
--- has one, stands in its place.
function hist.labels(rows, unit)
  local low, high, labels, bounds = 0, 0, {}, {}
  for i, row in ipairs(rows) do
    local min, max = bounds_texts(row, unit)
    bounds[i] = { min, max }
    if not row.label then low, high = math.max(low, #min), math.max(high, #max) end
  end
  for i, row in ipairs(rows) do
    local min, max = table.unpack(bounds[i])
    min = (" "):rep(low - #min) .. min
    if row.label then labels[i] = row.label
    elseif units.is_known(unit) then labels[i] = "[" .. min .. ", " .. (" "):rep(high - #max) .. max .. ")"
    else labels[i] = min .. " -> " .. max end
  end
  return labels
end

local function column_widths(rows, labels)
  local range, count, most = 0, #"count", 0
  for i, row in ipairs(rows) do
    range = math.max(range, #labels[i])
    count = math.max(count, #tostring(row.count))
    most = math.max(most, row.count)
  end
  return range, count, most
end

-- On a terminal: an SGR code around the text.
local function paint(code, text)
  return output_color and text ~= "" and "\27[" .. code .. "m" .. text .. "\27[0m" or text
end

--- The picture of rows, as text without a final newline.
function hist.draw(rows, options)
  options = options or {}
  local lines = { options.title }
  if #rows == 0 then
    lines[#lines + 1] = "(no values)"
    return table.concat(lines, "\n")
  end
  local width = check_integer("width", options.width, 40, 1)
  local labels, heading = hist.labels(rows, options.unit), units.heading(options.unit)
  local range_width, count_width, most = column_widths(rows, labels)
  range_width = math.max(range_width, #heading)
  lines[#lines + 1] = paint("1", heading .. (" "):rep(range_width - #heading) .. " : " .. (" "):rep(count_width - #"count")
    .. "count  distribution")
  for i, row in ipairs(rows) do
    local count, bar = tostring(row.count), ("*"):rep(math.floor(row.count / most * width))
    lines[#lines + 1] = labels[i] .. (" "):rep(range_width - #labels[i]) .. " : " .. (" "):rep(count_width - #count)
      .. count .. "  |" .. paint("36", bar) .. (" "):rep(width - #bar) .. "|"
  end
  return table.concat(lines, "\n")
end

--- The picture of a histogram by powers of two.
function hist.log2(slots, options)
  return hist.draw(hist.rows(slots), options)
end

--- The picture of a histogram of equal steps; options.step is needed.
function hist.linear(slots, options)
  if not options or options.step == nil then error("hist.linear: options.step is missing", 2) end
  return hist.draw(hist.rows(slots, options), options)
end

--- The value that `percent` of the counted values do not exceed, on the assumption that values lie evenly inside a row;
--- nil when nothing was counted.
function hist.percentile(rows, percent)
  if type(percent) ~= "number" or not (percent >= 0 and percent <= 100) then
    error("hist.percentile: expected 0 to 100, got " .. tostring(percent), 2)
  end
  local total = 0
  for _, row in ipairs(rows) do total = total + row.count end
  if total == 0 then return nil end
  local wanted, below = total * percent / 100, 0
  for _, row in ipairs(rows) do
    if row.count > 0 and below + row.count >= wanted then
      local inside = (wanted - below) / row.count
      -- A float holds no bound above 2^53 exactly, so the top of a row is not computed.
      if inside >= 1 then return row.max end
      return row.min + math.floor((row.max - row.min) * inside)
    end
    below = below + row.count
  end
end

local function is_list(key)
  return type(key) == "table" and key[1] ~= nil
end

local function key_text(key)
  if type(key) ~= "table" then return tostring(key) end
  local fields = {}
  if is_list(key) then
    for i, value in ipairs(key) do fields[i] = tostring(value) end
  else
    for name, value in pairs(key) do fields[#fields + 1] = tostring(name) .. "=" .. tostring(value) end
    table.sort(fields)
  end
  return table.concat(fields, ", ")
end

-- Numbers in their order and before all else; lists by their first elements that differ; the rest by text.
local function key_precedes(a, b)
  local a_number, b_number = math.type(a), math.type(b)
  if a_number and b_number then return a < b end
  if a_number or b_number then return a_number ~= nil end
  if is_list(a) and is_list(b) then
    for i, element in ipairs(a) do
      if b[i] == nil then return false end
      if element ~= b[i] then return key_precedes(element, b[i]) end
    end
    return #a < #b
  end
  return key_text(a) < key_text(b)
end

-- The histograms of a table as {key, title, rows}, in the order of their keys.
local function sorted(histograms, options)
  if type(histograms) ~= "table" then error("hist: expected a table of slots by key, got " .. type(histograms), 0) end
  local entries = {}
  for key, slots in pairs(histograms) do
    local text = key_text(key)
    local title = options.title and options.title .. " = " .. text or text
    entries[#entries + 1] = { key = key, title = title, rows = hist.rows(slots, options) }
  end
  table.sort(entries, function(a, b) return key_precedes(a.key, b.key) end)
  return entries
end

--- One picture per key, each under "TITLE = KEY", with an empty line between them. `histograms` holds slots by key; a
--- key of several parts is a list.
function hist.keyed(histograms, options)
  options = options or {}
  local pictures = {}
  for _, entry in ipairs(sorted(histograms, options)) do
    pictures[#pictures + 1] = hist.draw(entry.rows, { title = entry.title, unit = options.unit, width = options.width })
  end
  if #pictures == 0 then return hist.draw({}, options) end
  return table.concat(pictures, "\n\n")
end

-- Prints in the run's format. `output_format` is set by the runtime; a plain Lua interpreter has no other than tables.
local function show(picture, data, options)
  if output_format == "json" then
    local name = options.name or options.title or "hist"
    local kind = options.step and "lhist" or "hist"
    emit({ aggregate = name, type = kind, data = data }, { "aggregate", "type", "data" })
  elseif output_format == "csv" then
    for _, entry in ipairs(data) do
      for _, row in ipairs(entry.value) do
        emit({ key = key_text(entry.key), min = row.min, max = row.max, count = row.count },
          { "key", "min", "max", "count" })
      end
    end
  else
    print(picture)
  end
end

--- Prints a histogram by powers of two.
function hist.print_log2(slots, options)
  options = options or {}
  show(hist.log2(slots, options), { { key = {}, value = hist.rows(slots) } }, options)
end

--- Prints a histogram of equal steps.
function hist.print_linear(slots, options)
  show(hist.linear(slots, options), { { key = {}, value = hist.rows(slots, options) } }, options)
end

--- Prints one histogram per key, linear when options.step is given.
function hist.print_keyed(histograms, options)
  options = options or {}
  local data = {}
  for _, entry in ipairs(sorted(histograms, options)) do
    data[#data + 1] = { key = is_list(entry.key) and entry.key or { entry.key }, value = entry.rows }
  end
  show(hist.keyed(histograms, options), data, options)
end

return hist
