-- Numbers with units, as people read them.
--
--   local units = require "moontrace.units"
--   units.text(1536000, "ns")   -- 1.54 ms
--   units.text(1536000, "bytes") -- 1.46 MiB

local units = {}

-- Names from the smallest on, and how many of each make one of the next.
local times = { "ns", 1000, "us", 1000, "ms", 1000, "s" }
local sizes = { "B", 1024, "KiB", 1024, "MiB", 1024, "GiB", 1024, "TiB", 1024, "PiB" }

local known = {
  ns = { times, 1, "time" }, us = { times, 3, "time" }, ms = { times, 5, "time" }, s = { times, 7, "time" },
  bytes = { sizes, 1, "size" },
}

--- Whether numbers of this unit read as such: ns, us, ms, s and bytes do, any other text is a heading only.
function units.is_known(unit) return known[unit] ~= nil end

--- What numbers of a unit measure: "time" or "size"; without such a unit, its name or "value".
function units.heading(unit)
  return known[unit] and known[unit][3] or unit or "value"
end

-- Three digits that matter, without zeros at the end.
local function digits(value)
  local size = math.abs(value)
  local text = (size < 10 and "%.2f" or size < 100 and "%.1f" or "%.0f"):format(value)
  return text:find(".", 1, true) and text:gsub("%.?0+$", "") or text
end

--- The number in the largest unit in which it is at least 1, with three digits that matter; exact while it is small.
function units.text(value, unit)
  if not known[unit] then error("units: there is no unit '" .. tostring(unit) .. "'", 2) end
  local names, place = known[unit][1], known[unit][2]
  while names[place + 1] and (value >= names[place + 1] or value <= -names[place + 1]) do
    value, place = value / names[place + 1], place + 2
  end
  return (math.type(value) == "integer" and tostring(value) or digits(value)) .. " " .. names[place]
end

return units
