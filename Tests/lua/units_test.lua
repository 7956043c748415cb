-- Assertions on moontrace.units; prints "ok".
local units = require "moontrace.units"

for _, case in ipairs {
  { 0, "ns", "0 ns" }, { 999, "ns", "999 ns" }, { 1000, "ns", "1 us" }, { 1536000, "ns", "1.54 ms" },
  { 12345, "us", "12.3 ms" }, { 250, "ms", "250 ms" }, { 90, "s", "90 s" }, { 7200000, "ms", "7200 s" },
  { 0.25, "s", "0.25 s" }, { -2500, "us", "-2.5 ms" }, { 1023, "bytes", "1023 B" }, { 1024, "bytes", "1 KiB" },
  { 150000, "bytes", "146 KiB" }, { math.maxinteger, "bytes", "8192 PiB" }, { math.mininteger, "ns", "-9223372037 s" },
} do
  local text = units.text(case[1], case[2])
  if text ~= case[3] then error(("%s %s: expected %s, got %s"):format(case[1], case[2], case[3], text)) end
end
assert(units.is_known("bytes") and not units.is_known("usecs") and not units.is_known(nil))
assert(units.heading("us") == "time" and units.heading("calls") == "calls" and units.heading() == "value")
local done, message = pcall(units.text, 1, "parsec")
assert(not done and message:find("there is no unit 'parsec'", 1, true))
print("ok")
