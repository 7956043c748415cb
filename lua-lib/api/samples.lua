-- Maps and variables of C programs that are shown while the program runs: as tables, or as histograms of what their
-- slots counted.
local host = ...
local hist = require "moontrace.hist"

-- Reading

-- a + b, member by member.
local function added(a, b)
  if type(a) ~= "table" then return a + b end
  local sum = {}
  for name, value in pairs(a) do sum[name] = added(value, b[name]) end
  return sum
end

-- The shape of a part of a value.
local function part_of(shape, name) return shape.element or shape.members[name] end

local function is_zero(value, shape)
  if type(value) ~= "table" then return value == shape.zero end
  for name, part in pairs(value) do
    if not is_zero(part, part_of(shape, name)) then return false end
  end
  return true
end

-- Adds a row, or for values of several CPUs that have no sum one for each CPU that has something.
local function add_rows(rows, sample, key, value)
  if not sample.per_cpu then
    rows[#rows + 1] = { key = key, value = value }
    return
  end
  if sample.is_summed then
    local sum = value[1]
    for cpu = 2, #value do sum = added(sum, value[cpu]) end
    rows[#rows + 1] = { key = key, value = sum }
    return
  end
  for cpu, part in ipairs(value) do
    if not is_zero(part, sample.value_shape) then rows[#rows + 1] = { key = key, value = part, cpu = cpu - 1 } end
  end
end

local function read(map, sample)
  local rows = {}
  if sample.clears then
    for _, entry in ipairs(map:drain()) do add_rows(rows, sample, entry[1], entry[2]) end
  else
    for key, value in pairs(map) do add_rows(rows, sample, key, value) end
  end
  -- All entries of an array exist: those that hold nothing are left out.
  if not sample.skips_zeros then return rows end
  local filled = {}
  for _, row in ipairs(rows) do
    if not is_zero(row.value, sample.value_shape) then filled[#filled + 1] = row end
  end
  return filled
end

-- A variable, read as a map is: an array's elements stand behind their indices.
local function variable(handle, sample)
  local function entries()
    local value = host.global_get(handle, sample.name)
    if sample.is_single then return next, { [0] = value } end
    local index = 0
    return function()
      index = index + 1
      if value[index] ~= nil then return index - 1, value[index] end
    end
  end
  return setmetatable({}, { __pairs = entries })
end

-- Stacks

-- The functions of a stack, the innermost first, from its addresses or its number; "" where none could be taken (a
-- negative number is the kernel's errno).
local function frames_of(stacks, stack, process)
  local addresses = stack
  if math.type(stack) then addresses = stack >= 0 and stack < 1 << 31 and stacks[stack] end
  local frames = {}
  for i, address in ipairs(addresses or {}) do
    if address == 0 then break end
    frames[i] = host.frame(address, process)
  end
  return table.concat(frames, "\n")
end

-- Puts the functions in the places of the numbers of stacks, and lists them.
local function name_stacks(row, sample, stacks)
  local name = sample.stacks.process
  local process = name and (type(row.key) == "table" and row.key[name] or type(row.value) == "table" and row.value[name])
  if name == "pid_tgid" then process = process >> 32 end
  row.stacks = {}
  for part, names in pairs { key = sample.stacks.keys, value = sample.stacks.values } do
    for _, stack in ipairs(names) do
      local frames = frames_of(stacks, row[part][stack], process or 0)
      row[part][stack] = frames
      if frames ~= "" then row.stacks[#row.stacks + 1] = { name = stack, frames = frames } end
    end
  end
  table.sort(row.stacks, function(a, b) return a.name < b.name end)
end

local function names_without(names, left_out)
  if names == nil then return nil end
  local rest, is_out = {}, {}
  for _, name in ipairs(left_out) do is_out[name] = true end
  for _, name in ipairs(names) do
    if not is_out[name] then rest[#rest + 1] = name end
  end
  return rest
end

-- The sample for people, to whom stacks are shown below the rest.
local function without_stacks(sample)
  if not sample.stacks then return sample end
  local keys, values = sample.stacks.keys, sample.stacks.values
  return setmetatable({
    key_names = names_without(sample.key_names, keys), value_names = names_without(sample.value_names, values),
  }, { __index = sample })
end

-- Numbers

-- A value as it is shown, where Lua's stands for another.
local function shown(value, shape)
  if type(value) == "table" then
    for name, part in pairs(value) do value[name] = shown(part, part_of(shape, name)) end
  elseif shape.form == "bytes" then
    return (value:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
  elseif shape.form == "pointer" or shape.form == "unsigned" and math.type(value) and value < 0 then
    return host.unsigned(value, shape.form == "pointer" and output_format == "table")
  end
  return value
end

local function is_number(value)
  return math.type(value) ~= nil or type(value) == "userdata"
end

-- Text

-- A member that is an array or a struct, as those of events are written.
local function nested(value)
  if type(value) == "string" then return '"' .. value:gsub('[\\"]', "\\%0") .. '"' end
  if type(value) ~= "table" then return tostring(value) end
  local parts = {}
  if value[1] ~= nil or next(value) == nil then
    for i, part in ipairs(value) do parts[i] = nested(part) end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  for name, part in pairs(value) do parts[#parts + 1] = nested(tostring(name)) .. ":" .. nested(part) end
  table.sort(parts)
  return "{" .. table.concat(parts, ",") .. "}"
end

local function text_of(value)
  return type(value) == "table" and nested(value) or tostring(value)
end

-- Text from the kernel must not drive the terminal.
local function visible(text)
  return (text:gsub("[\0-\31\127]", function(byte) return ("\\x%02x"):format(byte:byte()) end))
end

-- The parts of a value: its members in the order of their type, or itself.
local function parts_of(value, names)
  if names == nil then return { value } end
  local parts = {}
  for i, name in ipairs(names) do parts[i] = value[name] end
  return parts
end

local function key_parts(row, sample)
  return sample.is_single and {} or parts_of(row.key, sample.key_names)
end

-- The stacks of a row, each line behind a line's end.
local function stack_lines(row)
  local lines = {}
  for _, stack in ipairs(row.stacks or {}) do
    lines[#lines + 1] = "\n    " .. stack.name
    for frame in stack.frames:gmatch("[^\n]+") do lines[#lines + 1] = "\n        " .. visible(frame) end
  end
  return table.concat(lines)
end

local function title_of(row, sample)
  local parts = key_parts(row, sample)
  for i, part in ipairs(parts) do parts[i] = text_of(part) end
  if row.cpu then parts[#parts + 1] = "cpu " .. row.cpu end
  for _, label in ipairs(row.labels or {}) do
    if not label.is_stack then parts[#parts + 1] = text_of(row.value[label.name]) end
  end
  if #parts == 0 then return sample.title end
  return visible(sample.title .. " = " .. table.concat(parts, ", "))
end

-- Order: the largest first where values are numbers, else by key.
local function sort(rows, sample)
  for _, row in ipairs(rows) do row.text = title_of(row, sample) end
  table.sort(rows, function(a, b)
    local x, y = a.value, b.value
    if is_number(x) and is_number(y) and x ~= y then return x > y end
    if is_number(a.key) and is_number(b.key) and a.key ~= b.key then return a.key < b.key end
    if a.text ~= b.text then return a.text < b.text end
    return (a.cpu or 0) < (b.cpu or 0)
  end)
end

-- Tables

local function columns_of(sample, rows)
  local columns = {}
  if not sample.is_single then columns = table.move(sample.key_names or { "key" }, 1, #(sample.key_names or { 1 }), 1, {}) end
  if rows[1] and rows[1].cpu then columns[#columns + 1] = "cpu" end
  local taken = {}
  for _, name in ipairs(columns) do taken[name] = true end
  for _, name in ipairs(sample.value_names or { sample.unit or "value" }) do
    columns[#columns + 1] = (taken[name] and "value." or "") .. name
  end
  return columns
end

local function cells_of(row, sample)
  local cells = key_parts(row, sample)
  if row.cpu then cells[#cells + 1] = row.cpu end
  local values = parts_of(row.value, sample.value_names)
  return table.move(values, 1, sample.value_names and #sample.value_names or 1, #cells + 1, cells)
end

local function pad(text, width, right)
  local room = (" "):rep(width - (utf8.len(text, 1, -1, true) or #text))
  return right and room .. text or text .. room
end

local function bold(text) return output_color and "\27[1m" .. text .. "\27[0m" or text end

local function heading(sample)
  local unit = sample.value_names and sample.unit
  return bold(sample.title .. (unit and " (" .. unit .. ")" or ""))
end

local function print_table(sample, rows)
  if #rows == 0 then return print(sample.title .. ": (no values)") end
  local lines, widths, right = { columns_of(sample, rows) }, {}, {}
  for i, name in ipairs(lines[1]) do lines[1][i], right[i] = name:upper(), true end
  for _, row in ipairs(rows) do
    local cells = cells_of(row, sample)
    for i, cell in ipairs(cells) do
      right[i] = right[i] and is_number(cell)
      cells[i] = visible(text_of(cell))
    end
    lines[#lines + 1] = cells
  end
  for _, cells in ipairs(lines) do
    for i, cell in ipairs(cells) do widths[i] = math.max(widths[i] or 0, utf8.len(cell, 1, -1, true) or #cell) end
  end
  for number, cells in ipairs(lines) do
    for i, cell in ipairs(cells) do cells[i] = pad(cell, widths[i], right[i]) end
    local line = table.concat(cells, " "):gsub(" +$", "")
    lines[number] = number == 1 and bold(line) or line .. stack_lines(rows[number - 1])
  end
  print(heading(sample) .. "\n" .. table.concat(lines, "\n"))
end

-- Histograms

-- The counts of a row, and its value's other members, which say what is counted.
local function slots_of(row, sample)
  if not sample.value_names then return row.value, {} end
  local labels, is_stack = {}, {}
  for _, name in ipairs(sample.stacks and sample.stacks.values or {}) do is_stack[name] = true end
  for _, name in ipairs(sample.value_names) do
    local value = row.value[name]
    if name ~= "slots" and value ~= "" and not is_zero(value, sample.value_shape.members[name]) then
      labels[#labels + 1] = { name = name, is_stack = is_stack[name] }
    end
  end
  return row.value.slots, labels
end

-- The rows that have counted something, with their buckets.
local function histograms(rows, sample)
  local options = sample.form == "linear_hist" and { step = sample.step, low = sample.base } or {}
  local filled = {}
  for _, row in ipairs(rows) do
    local slots, labels = slots_of(row, sample)
    local is_read, read_rows = pcall(hist.rows, slots, options)
    if not is_read then error(sample.title .. ": " .. read_rows:gsub("^hist: ", ""), 0) end
    row.rows, row.labels = read_rows, labels
    if #row.rows > 0 then filled[#filled + 1] = row end
  end
  return filled
end

local function print_pictures(sample, rows)
  if #rows == 0 then return print(sample.title .. ": (no values)") end
  local pictures = {}
  for i, row in ipairs(rows) do pictures[i] = hist.draw(row.rows, { title = row.text .. stack_lines(row), unit = sample.unit }) end
  print(table.concat(pictures, "\n\n"))
end

-- The formats for programs

local kinds = { log2_hist = "hist", linear_hist = "lhist", default_kv = "table" }

local function emit_json(sample, rows)
  local data = {}
  for i, row in ipairs(rows) do
    data[i] = { key = key_parts(row, sample), cpu = row.cpu, value = row.rows or row.value }
    for _, label in ipairs(row.labels or {}) do data[i][label.name] = row.value[label.name] end
  end
  emit({ aggregate = sample.name, type = kinds[sample.form], data = data }, { "aggregate", "type", "data" })
end

local function emit_csv_buckets(sample, row)
  local columns = { "map", "key", "min", "max", "count" }
  for _, bucket in ipairs(row.rows) do
    local key = row.text:sub(#sample.title + 4)
    emit({ map = sample.name, key = key, min = bucket.min, max = bucket.max, count = bucket.count }, columns)
  end
end

local function emit_csv(sample, rows)
  for _, row in ipairs(rows) do
    if row.rows then
      emit_csv_buckets(sample, row)
    else
      local columns, record, cells = columns_of(sample, rows), { map = sample.name }, cells_of(row, sample)
      for i, name in ipairs(columns) do record[name] = cells[i] end
      table.insert(columns, 1, "map")
      emit(record, columns)
    end
  end
end

-- At the end, what has been shown and emptied before needs no "(no values)".
local function show(map, sample, stacks, is_end)
  local rows = read(map, sample)
  for _, row in ipairs(sample.stacks and rows or {}) do name_stacks(row, sample, stacks) end
  if sample.form ~= "default_kv" then rows = histograms(rows, sample) end
  if #rows == 0 and is_end and sample.was_shown then return end
  for _, row in ipairs(rows) do
    row.key, row.value = shown(row.key, sample.key_shape), shown(row.value, sample.value_shape)
  end
  sample.was_shown = true
  local plain = without_stacks(sample)
  sort(rows, plain)
  if output_format == "json" then
    emit_json(sample, rows)
  elseif output_format == "csv" then
    emit_csv(sample, rows)
  elseif sample.form == "default_kv" then
    print_table(plain, rows)
  else
    print_pictures(plain, rows)
  end
end

--- Shows maps and variables of the object `handle`: each at its interval, and all at the end.
return function(handle, samples)
  for _, sample in ipairs(samples) do
    local map = sample.is_variable and variable(handle, sample) or host.map(handle, sample.name)
    local stacks = sample.stacks and sample.stacks.map and host.map(handle, sample.stacks.map)
    if sample.seconds > 0 then host.every(sample.seconds, function() show(map, sample, stacks) end) end
    host.at_exit(function() show(map, sample, stacks, true) end)
  end
end
