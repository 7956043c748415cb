-- Plots as text: lines over time, heat maps of histograms over time, sparks. Each function returns the text, without a
-- newline at its end.
--
--   local plot = require "moontrace.plot"
--   print(plot.line { { 0, 12 }, { 1, 40 }, { 2, 31 }, title = "requests", unit = "bytes" })
--
-- Lines are drawn in braille and shades in blocks; in plain ASCII where the terminal's locale is not UTF-8 or `ascii =
-- true` is given.
local hist = require "moontrace.hist"
local units = require "moontrace.units"

local plot = {}

local function check_list(caller, list)
  if type(list) ~= "table" then error(caller .. ": expected a list, got " .. type(list), 3) end
end

local function check_size(caller, name, value, default)
  local size = math.tointeger(value or default)
  if not size or size < 1 or size > 1000 then
    error(caller .. ": " .. name .. " is an integer from 1 to 1000, not " .. tostring(value), 3)
  end
  return size
end

-- A number that can stand on an axis.
local function check_number(caller, what, value)
  if type(value) ~= "number" or value ~= value or value == math.huge or value == -math.huge then
    error(caller .. ": " .. what .. " is a number, not " .. tostring(value), 3)
  end
  return value
end

local function is_ascii(options)
  if options.ascii ~= nil then return options.ascii end
  return not output_is_utf8
end

local function number_text(value, unit)
  if units.is_known(unit) then return units.text(value, unit) end
  local size = math.abs(value)
  local text = math.type(value) == "integer" and tostring(value)
    or (size >= 1000 and size < 1e15 and "%.0f" or "%.4g"):format(value)
  return unit and text .. " " .. unit or text
end

local function pad_left(text, width) return (" "):rep(width - #text) .. text end

local function trimmed(text) return (text:gsub(" +$", "")) end

-- The ends of a time axis that is `width` characters wide, in seconds.
local function time_axis(from, to, width)
  local first, last = number_text(from, "s"), number_text(to, "s")
  return first .. (" "):rep(math.max(1, width - #first - #last)) .. last
end

local function titled(title, lines)
  if title then table.insert(lines, 1, title) end
  return table.concat(lines, "\n")
end

-- The rows of a picture, from above, each behind its label and the edge, and what stands below them.
local function framed(title, labels, edge, rows, below)
  local margin, lines = 0, {}
  for _, label in ipairs(labels) do margin = math.max(margin, #label) end
  for i, row in ipairs(rows) do
    lines[i] = trimmed(labels[i] .. (" "):rep(margin - #labels[i]) .. edge .. row)
  end
  for _, text in ipairs(below) do lines[#lines + 1] = (" "):rep(margin + 2) .. text end
  return titled(title, lines)
end

-- Lines

-- Dots in cells of `across` x `down`, addressed from the lower left one.
local function new_canvas(width, height, across, down)
  local cells = {}
  for row = 1, height do
    cells[row] = {}
    for column = 1, width do cells[row][column] = 0 end
  end
  return { cells = cells, width = width, height = height, across = across, down = down }
end

-- Bits of a braille cell (Unicode 2800) by column and row from below.
local braille_bits = { { 0x40, 0x04, 0x02, 0x01 }, { 0x80, 0x20, 0x10, 0x08 } }

local function set_dot(canvas, x, y)
  local column, row = x // canvas.across + 1, canvas.height - y // canvas.down
  local cells = canvas.cells[row]
  cells[column] = cells[column] | braille_bits[x % canvas.across + 1][y % canvas.down + 1]
end

local function draw_line(canvas, x1, y1, x2, y2)
  local steps = math.max(math.abs(x2 - x1), math.abs(y2 - y1), 1)
  for i = 0, steps do
    set_dot(canvas, (x1 * (steps - i) + x2 * i + steps // 2) // steps, (y1 * (steps - i) + y2 * i + steps // 2) // steps)
  end
end

local function canvas_rows(canvas, ascii)
  local rows = {}
  for i, cells in ipairs(canvas.cells) do
    local texts = {}
    for j, bits in ipairs(cells) do
      texts[j] = bits == 0 and " " or ascii and "*" or utf8.char(0x2800 + bits)
    end
    rows[i] = table.concat(texts)
  end
  return rows
end

-- Points in order of their times, and the bounds of times and values.
local function checked_points(points)
  local list, bounds = {}, {}
  for i, point in ipairs(points) do
    if type(point) ~= "table" then error("plot.line: point " .. i .. " is no {time, value}", 3) end
    local t = check_number("plot.line", "the time of point " .. i, point[1])
    local v = check_number("plot.line", "the value of point " .. i, point[2])
    list[i] = { t, v }
    bounds.from, bounds.to = math.min(bounds.from or t, t), math.max(bounds.to or t, t)
    bounds.low, bounds.high = math.min(bounds.low or v, v), math.max(bounds.high or v, v)
  end
  table.sort(list, function(a, b) return a[1] < b[1] end)
  return list, bounds
end

-- Where a value lies between two others, as one of the dots 0 … count - 1.
local function dot(value, low, high, count)
  if high == low then return 0 end
  return math.floor((value - low) / (high - low) * (count - 1) + 0.5)
end

--- A line through the points {time in seconds, value}. Options: title; unit = what the values are (ns, us, ms, s and
--- bytes read as times and sizes); width (60) and height (10) of the plot in characters; low = where the values' axis
--- begins, 0 unless there are values below; ascii.
function plot.line(options)
  check_list("plot.line", options)
  local width, height = check_size("plot.line", "width", options.width, 60),
    check_size("plot.line", "height", options.height, 10)
  local points, bounds = checked_points(options)
  if #points == 0 then return titled(options.title, { "(no values)" }) end
  local ascii = is_ascii(options)
  local low, high = math.min(bounds.low, options.low or 0), bounds.high
  local canvas = ascii and new_canvas(width, height, 1, 1) or new_canvas(width, height, 2, 4)
  local last_x, last_y
  for _, point in ipairs(points) do
    local x = dot(point[1], bounds.from, bounds.to, width * canvas.across)
    local y = dot(point[2], low, high, height * canvas.down)
    draw_line(canvas, last_x or x, last_y or y, x, y)
    last_x, last_y = x, y
  end
  local top, bottom = number_text(high, options.unit), number_text(low, options.unit)
  local labels = {}
  for i = 1, height do labels[i] = i == 1 and pad_left(top, #bottom) or i == height and pad_left(bottom, #top) or "" end
  return framed(options.title, labels, ascii and " |" or " ┤", canvas_rows(canvas, ascii),
    { time_axis(bounds.from, bounds.to, width) })
end

-- Heat maps

-- The range that follows another one in the same histogram: of powers of two, or of equal steps.
local function range_after(range)
  local width = range.max - range.min + 1
  if range.min > 0 and range.min & (range.min - 1) == 0 and width == range.min then width = 2 * width end
  return { min = range.max + 1, max = range.max + width }
end

-- Ranges that no histogram names but that lie between those that are, so that heights tell the truth.
local function fill_gaps(ranges)
  local filled = {}
  for i, range in ipairs(ranges) do
    filled[#filled + 1] = range
    local following = ranges[i + 1]
    local next_range = following and range.max < math.maxinteger // 2 and range_after(range)
    while next_range and next_range.max < following.min and #filled < 4096 do
      filled[#filled + 1] = next_range
      next_range = range_after(next_range)
    end
  end
  return filled
end

-- All ranges that counted something, the least first, and the histograms as counts by a range's least value.
local function ranges_of(rows)
  local ranges, known, counts = {}, {}, {}
  for i, row in ipairs(rows) do
    if type(row) ~= "table" then error("plot.heat: row " .. i .. " is no {time, histogram}", 3) end
    check_number("plot.heat", "the time of row " .. i, row[1])
    counts[i] = {}
    for _, range in ipairs(row[2] or {}) do
      if range.count > 0 then
        counts[i][range.min] = (counts[i][range.min] or 0) + range.count
        if not known[range.min] then ranges[#ranges + 1] = { min = range.min, max = range.max } end
        known[range.min] = true
      end
    end
  end
  table.sort(ranges, function(a, b) return a.min < b.min end)
  return fill_gaps(ranges), counts
end

-- Which of `places` cells item `i` of `count` falls into.
local function cell(i, count, places)
  return count <= places and i or (i - 1) * places // count + 1
end

-- Counts by row and column, and the ranges that share each row.
local function grid(ranges, counts, width, height)
  local rows, cells, place = {}, {}, {}
  for i, range in ipairs(ranges) do
    local row = cell(i, #ranges, height)
    rows[row] = { min = rows[row] and rows[row].min or range.min, max = range.max }
    cells[row], place[range.min] = cells[row] or {}, row
  end
  local most = 0
  for i, histogram in ipairs(counts) do
    local column = cell(i, #counts, width)
    for min, count in pairs(histogram) do
      local row = cells[place[min]]
      row[column] = (row[column] or 0) + count
      most = math.max(most, row[column])
    end
  end
  return rows, cells, most
end

local function shades(ascii)
  return ascii and { ".", ":", "-", "=", "+", "*", "#", "@" } or { "░", "▒", "▓", "█" }
end

-- On a logarithmic scale, so that rare values show beside frequent ones.
local function shade(count, most, list)
  if not count then return " " end
  return list[most <= 1 and #list or 1 + math.floor((#list - 1) * math.log(count) / math.log(most) + 0.5)]
end

-- The cells of a row as text.
local function shaded(row, columns, most, list)
  local texts = {}
  for column = 1, columns do texts[column] = shade(row[column], most, list) end
  return table.concat(texts)
end

local function open_ended(ranges, unit)
  for _, range in ipairs(ranges) do
    if range.min == math.mininteger then range.label = "< " .. number_text(range.max + 1, unit) end
    if range.max == math.maxinteger then range.label = ">= " .. number_text(range.min, unit) end
  end
  return ranges
end

--- A heat map: time goes to the right, values go up, and the darker a cell the more values were counted. `rows` is a list
--- of {time in seconds, histogram}, one for each interval, where a histogram is what `a:drain()` gives as a row's value
--- (nil where nothing was counted). Options: title; unit; width (60) and height (20): most columns and rows, beyond which
--- neighbours share one; ascii.
function plot.heat(rows, options)
  check_list("plot.heat", rows)
  options = options or {}
  local width, height = check_size("plot.heat", "width", options.width, 60),
    check_size("plot.heat", "height", options.height, 20)
  local ranges, counts = ranges_of(rows)
  if #ranges == 0 then return titled(options.title, { "(no values)" }) end
  local bands, cells, most = grid(ranges, counts, width, height)
  local ascii, columns = is_ascii(options), math.min(#rows, width)
  local list, names = shades(ascii), hist.labels(open_ended(bands, options.unit), options.unit)
  local labels, texts = {}, {}
  for band = #bands, 1, -1 do
    labels[#labels + 1], texts[#texts + 1] = names[band], shaded(cells[band], columns, most, list)
  end
  local legend = list[1] .. " 1" .. (most > 1 and " to " .. list[#list] .. " " .. most or "") .. " in a cell"
  return framed(options.title, labels, ascii and " |" or " │", texts,
    { time_axis(rows[1][1], rows[#rows][1], columns), legend })
end

-- Sparks

local spark_blocks = {}
for code = 0x2581, 0x2588 do spark_blocks[#spark_blocks + 1] = utf8.char(code) end
local spark_ascii = { "_", ".", "-", "=", "+", "*", "#", "@" }

--- A line of bars, one for each number, from the least to the greatest; nil and false are blanks. Options: ascii.
function plot.spark(list, options)
  check_list("plot.spark", list)
  local low, high, count = math.huge, -math.huge, 0
  for i, value in pairs(list) do
    if math.type(i) == "integer" then
      count = math.max(count, i)
      if value then
        check_number("plot.spark", "number " .. i, value)
        low, high = math.min(low, value), math.max(high, value)
      end
    end
  end
  local bars, texts = is_ascii(options or {}) and spark_ascii or spark_blocks, {}
  for i = 1, count do texts[i] = list[i] and bars[dot(list[i], low, high, #bars) + 1] or " " end
  return table.concat(texts)
end

return plot
