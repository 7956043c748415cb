-- Assertions on moontrace.plot; prints "ok".
local plot = require "moontrace.plot"

local function equal(actual, expected)
  if actual ~= expected then
    error("expected:\n" .. tostring(expected) .. "\ngot:\n" .. tostring(actual), 2)
  end
end

local function refuses(expected, fn, ...)
  local done, message = pcall(fn, ...)
  equal(done, false)
  if not tostring(message):find(expected, 1, true) then error("expected '" .. expected .. "' in: " .. message, 2) end
end

-- Lines: the axes' ends are the first and last time, and 0 and the greatest value.
equal(plot.line { { 0, 0 }, { 4, 4 }, { 8, 0 }, title = "up and down", width = 9, height = 5, ascii = true }, [[
up and down
4 |    *
  |   * *
  |  *   *
  | *     *
0 |*       *
   0 s   8 s]])
equal(plot.line { { 0, 0 }, { 1, 2048 }, unit = "bytes", width = 4, height = 2, ascii = false }, [[
2 KiB ┤  ⡠⠊
  0 B ┤⡠⠊
       0 s 1 s]])
-- Points out of order, one alone, values below 0, times far from 0.
equal(plot.line { { 2, 2 }, { 0, 0 }, width = 3, height = 3, ascii = true },
  plot.line { { 0, 0 }, { 2, 2 }, width = 3, height = 3, ascii = true })
equal(plot.line { { 5, 7 }, width = 3, height = 2, ascii = true }, "7 |*\n0 |\n   5 s 5 s")
assert(plot.line({ { 0, -5 }, { 1, 5 }, ascii = true }):find("\n-5 |", 1, true))
equal(plot.line {}, "(no values)")
equal(plot.line { title = "nothing" }, "nothing\n(no values)")
refuses("point 1 is no {time, value}", plot.line, { 3 })
refuses("the value of point 2 is a number, not nil", plot.line, { { 1, 2 }, { 2 } })
refuses("the value of point 1 is a number", plot.line, { { 1, 0 / 0 } })
refuses("width is an integer from 1 to 1000, not 0", plot.line, { { 1, 2 }, width = 0 })
refuses("expected a list, got nil", plot.line)

-- Heat maps: ranges that nothing fell into keep their place; rare values show.
local function log2(...)
  local rows = {}
  for _, pair in ipairs { ... } do
    rows[#rows + 1] = { min = 1 << pair[1], max = (2 << pair[1]) - 1, count = pair[2] }
  end
  return rows
end
equal(plot.heat({ { 0, log2({ 2, 1 }) }, { 1 }, { 2, log2({ 2, 1000 }, { 5, 30 }) } }, { title = "t", ascii = true }), [[
t
32 -> 63 |  =
16 -> 31 |
 8 -> 15 |
 4 -> 7  |. @
          0 s 2 s
          . 1 to @ 1000 in a cell]])
-- Beyond the width neighbours are added up, beyond the height ranges are.
local many = {}
for i = 1, 100 do many[i] = { i, { { min = i * 10, max = i * 10 + 9, count = 1 } } } end
local map = plot.heat(many, { width = 10, height = 10, ascii = true })
local lines = {}
for line in map:gmatch("[^\n]+") do lines[#lines + 1] = line end
equal(#lines, 12)
equal(lines[1], "910 -> 1009 |         @")
equal(lines[10], " 10 -> 109  |@")
equal(lines[12], (" "):rep(13) .. ". 1 to @ 10 in a cell")
equal(plot.heat({ { 0, { { min = 4, max = 7, count = 2 } } } }, { unit = "us", ascii = false }), [[
[4 us, 8 us) │█
              0 s 0 s
              ░ 1 to █ 2 in a cell]])
local ends = plot.heat({ { 0, { { min = math.mininteger, max = -1, count = 1 }, { min = 0, max = 0, count = 1 },
  { min = 10, max = math.maxinteger, count = 1 } } } }, { ascii = true, height = 100 })
assert(ends:find("^>= 10 +|@") and ends:find("\n< 0 +|@"), ends)
equal(plot.heat({}), "(no values)")
equal(plot.heat({ { 0 }, { 1, {} } }, { title = "t" }), "t\n(no values)")
refuses("row 1 is no {time, histogram}", plot.heat, { 3 })
refuses("the time of row 1 is a number", plot.heat, { { "x", {} } })

-- Sparks
equal(plot.spark({ 1, 2, 3, 4, 5, 6, 7, 8 }, { ascii = false }), "▁▂▃▄▅▆▇█")
equal(plot.spark({ 0, 70, nil, 35 }, { ascii = true }), "_@ +")
equal(plot.spark({ 3, 3 }, { ascii = true }), "__")
equal(plot.spark({}), "")
refuses("number 2 is a number, not x", plot.spark, { 1, "x" })
print("ok")
