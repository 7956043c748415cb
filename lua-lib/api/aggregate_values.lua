-- What aggregates hold, from the kernel's words to the values that scripts see.
local host = ...
local hist = require "moontrace.hist"

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
  local last = 2 + (high - low - 1) // step
  return function(index)
    if index == 0 then return math.mininteger, low - 1 end
    if index == last then return high, math.maxinteger end
    local from = low + (index - 1) * step
    return from, high - from > step and from + step - 1 or high - 1
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

return { decode = decode, Histogram = Histogram }
