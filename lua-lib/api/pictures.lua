-- Flame graphs, and what the page of --report shows of aggregates.
local host, shared, aggregate = ...
local hist = require "moontrace.hist"
local units = require "moontrace.units"

local pictures = {}

-- Flame graphs

local function check_flamegraph(options)
  return shared.check_options("flamegraph", options, { file = "string", title = "string", unit = "string" })
end

-- A group's name, or a list of them, as parts of a row for the host.
local function add_groups(row, groups)
  for _, group in ipairs(type(groups) == "table" and groups or { groups }) do
    row[#row + 1] = "value"
    row[#row + 1] = tostring(group)
  end
end

--- Draws stacks that a script has counted itself: a list of { user =, kernel =, root =, value = }, where user and kernel
--- are texts as probes send them (ustack, kstack), root is what the stack belongs to (comm, or a list), and value how
--- often it was seen (1). Options: file = where to write it, an SVG; title; unit = what is counted. Without a file it
--- goes to the page of --report alone.
function pictures.flamegraph(rows, options)
  options = check_flamegraph(options)
  if type(rows) ~= "table" then host.raise("flamegraph: expected a list of stacks, got " .. type(rows)) end
  if not options.file and not host.reports() then return end
  local list = {}
  for i, row in ipairs(rows) do
    if type(row) ~= "table" then host.raise("flamegraph: stack " .. i .. " is a " .. type(row) .. ", not a table") end
    local parts = { row.value or 1 }
    if row.root ~= nil then add_groups(parts, row.root) end
    for _, kind in ipairs { "user", "kernel" } do
      if row[kind] then
        parts[#parts + 1] = kind
        parts[#parts + 1] = tostring(row[kind])
      end
    end
    list[i] = parts
  end
  host.flamegraph(list, options.title or "flame graph", options.unit or "samples", options.file)
end

-- The kinds of a key's parts, when one of them is a stack.
local function stack_parts(number)
  local kinds = host.aggregate_parts(number)
  for _, kind in ipairs(kinds) do
    if kind ~= "value" then return kinds end
  end
end

local function draw_stacks(kinds, rows, options)
  local list = {}
  for i, row in ipairs(rows) do
    local parts = { row.value }
    local key = aggregate.key_parts(row.key)
    for j, kind in ipairs(kinds) do
      if key[j] ~= nil then -- as a stack is that a probe left out
        parts[#parts + 1] = kind
        parts[#parts + 1] = aggregate.key_text(key[j])
      end
    end
    list[i] = parts
  end
  host.flamegraph(list, options.title, options.unit, options.file)
end

local drawn = {}

--- Draws what an aggregate has counted by stacks. Without a file it goes to the page of --report alone.
function pictures.aggregate_flamegraph(number, options)
  options = check_flamegraph(options)
  local name, kind, low, high, step = host.aggregate_about(number)
  if kind ~= "count" and kind ~= "sum" then
    host.raise("flamegraph: only a count or a sum has widths to draw; '" .. name .. "' is a " .. kind)
  end
  local kinds = stack_parts(number)
  if kinds and not options.file and not host.reports() then return end
  local rows = aggregate.decode(kind, host.aggregate_rows(number), low, high, step)
  if #rows > 0 and not kinds then
    host.raise("flamegraph: '" .. name .. "' has no stack in its key (use kstack or ustack)")
  end
  drawn[number] = true
  local unit = options.unit or kind == "count" and "samples" or "total"
  draw_stacks(kinds or {}, rows, { title = options.title or name, unit = unit, file = options.file })
end

-- What scripts take away while the report is collected

-- Keys that are kept of an aggregate.
local most_kept = 10240
-- How two rows of one key become one, by column.
local function add(a, b) return a + b end
local joins = {
  count = { [2] = add }, sum = { [2] = add }, avg = { [2] = add, [3] = add },
  min = { [3] = math.min }, max = { [3] = math.max },
  stats = { [2] = add, [3] = add, [4] = math.min, [5] = math.max },
  hist = { [2] = add }, lhist = { [2] = add },
}
local kept, shown = {}, {}

local function new_row(store, kind, text, row)
  local copy = table.move(row, 1, #row, 1, {})
  copy[1] = row[1]
  if kind == "hist" or kind == "lhist" then
    if not store.groups[text] then
      store.group_count = store.group_count + 1
      store.groups[text] = store.group_count
    end
    copy[4] = store.groups[text]
  end
  return copy
end

--- Keeps rows that a script has drained or cleared, so that the report shows the whole run.
function pictures.keep(number, rows)
  local _, kind = host.aggregate_about(number)
  local store = kept[number] or { rows = {}, by_id = {}, groups = {}, group_count = 0 }
  kept[number] = store
  for _, row in ipairs(rows) do
    local text = aggregate.key_text(row[1])
    local id = text .. "\0" .. ((kind == "hist" or kind == "lhist") and row[3] or "")
    local known = store.by_id[id]
    if known then
      for column, join in pairs(joins[kind]) do known[column] = join(known[column], row[column]) end
    elseif #store.rows < most_kept then
      known = new_row(store, kind, text, row)
      store.by_id[id] = known
      store.rows[#store.rows + 1] = known
    else
      store.is_full = true
    end
  end
end

--- Keeps how the script shows an aggregate.
function pictures.remember(number, options) shown[number] = options end

-- The report

-- Histograms by key that the page shows.
local most_histograms = 30

local function report_histograms(title, list, has_key, unit)
  for i = 1, math.min(#list, most_histograms) do
    local row = list[i]
    local buckets, ranges = aggregate.drawn(row.value, unit), {}
    for j, label in ipairs(hist.labels(buckets, unit)) do ranges[j] = { label, buckets[j].count } end
    local heading = has_key and title .. " = " .. row.text or title
    if i == most_histograms and #list > i then heading = heading .. " (the last shown of " .. #list .. ")" end
    host.report { title = heading, unit = units.heading(unit), ranges = ranges }
  end
end

local function report_bars(title, kind, list, has_key, unit)
  local rows = {}
  for i, row in ipairs(list) do
    local key, cells = {}, {}
    for j, part in ipairs(has_key and aggregate.key_parts(row.key) or {}) do key[j] = aggregate.key_text(part) end
    local plain = kind == "stats" and { row.value.count, row.value.avg, row.value.min, row.value.max, row.value.sum }
      or { row.value }
    for j, text in ipairs(aggregate.value_cells(kind, row.value, unit)) do
      cells[#cells + 1] = text
      cells[#cells + 1] = plain[j]
    end
    rows[i] = { key = key, cells = cells, size = kind == "stats" and row.value.count or row.value }
  end
  host.report { title = title, headings = aggregate.headings(kind, unit), rows = rows }
end

local function report(number)
  local options = shown[number] or {}
  pictures.keep(number, host.aggregate_rows(number))
  local store = kept[number]
  local name, kind, low, high, step = host.aggregate_about(number)
  local list = aggregate.sort(aggregate.decode(kind, store.rows, low, high, step))
  if #list == 0 then return end
  local title, unit = options.title ~= "" and options.title or name, options.unit
  if store.is_full then title = title .. " (the first " .. most_kept .. " keys)" end
  local kinds, has_key = stack_parts(number), host.aggregate_has_key(number)
  if kind == "hist" or kind == "lhist" then
    report_histograms(title, list, has_key, unit)
  elseif kinds and (kind == "count" or kind == "sum") then
    if not drawn[number] then
      draw_stacks(kinds, list, { title = title, unit = unit or kind == "count" and "samples" or "total" })
    end
  else
    report_bars(title, kind, list, has_key, unit)
  end
end

--- Hands every aggregate to the report.
function pictures.report_rest()
  for number = 0, host.aggregate_count() - 1 do report(number) end
end

return pictures
