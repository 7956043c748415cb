-- Assertions on moontrace.hist; prints "ok".
local hist = require "moontrace.hist"

local function equal(actual, expected)
  if actual ~= expected then
    error("expected:\n" .. tostring(expected) .. "\ngot:\n" .. tostring(actual), 2)
  end
end

local function equal_rows(rows, expected)
  local texts = {}
  for i, row in ipairs(rows) do texts[i] = row.min .. ".." .. row.max .. "=" .. row.count end
  local actual = table.concat(texts, " ")
  if actual ~= expected then error("expected " .. expected .. ", got " .. actual, 2) end
end

local function refuses(expected, fn, ...)
  local done, message = pcall(fn, ...)
  equal(done, false)
  if not tostring(message):find(expected, 1, true) then error("expected '" .. expected .. "' in: " .. message, 2) end
end

-- Rows
equal_rows(hist.rows({ 5, 0, 3 }), "0..1=5 2..3=0 4..7=3")
equal_rows(hist.rows({ 0, 0, 3, 0, 0 }), "4..7=3")
equal_rows(hist.rows({ [0] = 5, 0, 3 }), "0..1=5 2..3=0 4..7=3")
equal_rows(hist.rows({ [4] = 2 }), "8..15=2")
equal_rows(hist.rows({}), "")
equal_rows(hist.rows({ 0, 0 }), "")
equal_rows(hist.rows({ 2, 1 }, { step = 100, low = -100 }), "-100..-1=2 0..99=1")
equal_rows(hist.rows({ [62] = 1, [63] = 2, [64] = 3 }),
  "2305843009213693952..4611686018427387903=1 4611686018427387904..9223372036854775807=2 "
  .. "9223372036854775807..9223372036854775807=3")

-- Pictures
equal(hist.log2({ 0, 3, 10, 0, 1 }, { unit = "usecs", width = 10, title = "latency" }), [[
latency
usecs    : count  distribution
 2 -> 3  :     3  |***       |
 4 -> 7  :    10  |**********|
 8 -> 15 :     0  |          |
16 -> 31 :     1  |*         |]])
equal(hist.log2({ 1 }, { unit = "nanoseconds", width = 4 }), [[
nanoseconds : count  distribution
0 -> 1      :     1  |****|]])
equal(hist.log2({ [63] = math.maxinteger, [62] = 1 }, { width = 4 }), [[
value                                      :               count  distribution
2305843009213693952 -> 4611686018427387903 :                   1  |    |
4611686018427387904 -> 9223372036854775807 : 9223372036854775807  |****|]])
equal(hist.linear({ 4, 2, 0 }, { step = 10, low = 5, width = 8, unit = "msecs" }), [[
msecs    : count  distribution
 5 -> 14 :     4  |********|
15 -> 24 :     2  |****    |]])
equal(hist.linear({ 4, 2, 0 }, { step = 10, low = 5, width = 8, unit = "ms" }), [[
time           : count  distribution
[ 5 ms, 15 ms) :     4  |********|
[15 ms, 25 ms) :     2  |****    |]])
equal(hist.log2({ 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 4, 2 }, { width = 4, unit = "bytes" }), [[
size           : count  distribution
[512 B, 1 KiB) :     1  |*   |
[1 KiB, 2 KiB) :     4  |****|
[2 KiB, 4 KiB) :     2  |**  |]])
equal(#hist.log2({ 1 }):match("|(.*)|"), 40)
equal(hist.log2({}), "(no values)")
equal(hist.log2({ 0, 0 }, { title = "latency" }), "latency\n(no values)")

-- Keyed
equal(hist.keyed({ [20] = { 1 }, [3] = { 0, 2 }, bash = { 1 } }, { title = "pid", width = 2 }), [[
pid = 3
value  : count  distribution
2 -> 3 :     2  |**|

pid = 20
value  : count  distribution
0 -> 1 :     1  |**|

pid = bash
value  : count  distribution
0 -> 1 :     1  |**|]])
equal(hist.keyed({ [{ pid = 3, cpu = 0 }] = { 1 } }, { width = 2 }):match("[^\n]+"), "cpu=0, pid=3")
equal(hist.keyed({}, { title = "pid" }), "pid\n(no values)")
local titles = {}
for title in hist.keyed({ [{ 10, "b" }] = { 1 }, [{ 9, "b" }] = { 1 }, [{ 9, "a" }] = { 1 } }):gmatch("%d+, %a") do
  titles[#titles + 1] = title
end
equal(table.concat(titles, " "), "9, a 9, b 10, b")

-- Percentiles
local rows = hist.rows({ 10, 0, 20, 10 })
equal(hist.percentile(rows, 0), 0)
equal(hist.percentile(rows, 25), 1)
equal(hist.percentile(rows, 50), 5)
equal(hist.percentile(rows, 75), 7)
equal(hist.percentile(rows, 100), 15)
equal(hist.percentile({}, 50), nil)
equal(math.type(hist.percentile(rows, 33.3)), "integer")
equal(hist.percentile(hist.rows({ [63] = 1 }), 100), math.maxinteger)

-- What the print functions send to each format
local function captured(format, fn, ...)
  local lines = {}
  local saved_print, saved_emit, saved_format = print, emit, output_format
  output_format = format
  print = function(text) lines[#lines + 1] = text end
  emit = function(record, columns)
    local fields = {}
    for i, name in ipairs(columns) do
      fields[i] = name .. "=" .. (type(record[name]) == "table" and "#" .. #record[name] or tostring(record[name]))
    end
    lines[#lines + 1] = table.concat(fields, " ")
  end
  fn(...)
  print, emit, output_format = saved_print, saved_emit, saved_format
  return table.concat(lines, "\n")
end
equal(captured("table", hist.print_log2, { 1 }, { width = 1 }), hist.log2({ 1 }, { width = 1 }))
equal(captured("json", hist.print_log2, { 1 }, { title = "latency" }), "aggregate=latency type=hist data=#1")
equal(captured("json", hist.print_log2, { 1 }, { title = "after 5 s", name = "latency" }),
  "aggregate=latency type=hist data=#1")
equal(captured("json", hist.print_linear, { 1 }, { step = 2 }), "aggregate=hist type=lhist data=#1")
equal(captured("csv", hist.print_log2, { 1, 2 }), "key= min=0 max=1 count=1\nkey= min=2 max=3 count=2")
equal(captured("csv", hist.print_keyed, { bash = { 1 } }), "key=bash min=0 max=1 count=1")
equal(captured("csv", hist.print_keyed, { [{ 5, "bash" }] = { 1 } }), "key=5, bash min=0 max=1 count=1")

-- Refusals
refuses("expected a list of counts, got string", hist.log2, "x")
refuses("found the key slots", hist.log2, { slots = {} })
refuses("slot 1: expected a count, got -1", hist.log2, { 1, -1 })
refuses("slot 0: expected a count, got x", hist.log2, { "x" })
refuses("options.step is missing", hist.linear, { 1 })
refuses("step must be an integer of at least 1, got 0", hist.linear, { 1 }, { step = 0 })
refuses("width must be an integer of at least 1, got 0", hist.log2, { 1 }, { width = 0 })
refuses("expected 0 to 100, got 101", hist.percentile, rows, 101)

print("ok")
