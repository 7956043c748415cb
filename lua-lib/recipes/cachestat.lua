recipe {
  name = "cachestat",
  summary = "Hits and misses of the page cache, each second",
  version = "1.0.0",
  category = "files",
  options = {
    { name = "interval", short = "i", type = "duration", default = 1, help = "show so often" },
  },
  examples = {
    [[
moontrace cachestat -i 200ms
TIME                 HITS   MISSES  DIRTIES HIT_PERCENT
13:05:20              438      154        0          73
13:05:20                1        0        0         100
13:05:21              404        0        0         100
13:05:21             1605        0        0         100]],
    "moontrace cachestat -i 10   # in pages; an estimate, as of bcc's tool of this name",
  },
}

local pages = global { accessed = 0, dirtied = 0, added = 0, buffers = 0 }

local function on(names, fn)
  local specs = {}
  for i, name in ipairs(names) do specs[i] = "kprobe:" .. name end
  probe(specs, fn, { first = true })
end
on({ "folio_mark_accessed", "mark_page_accessed" }, function() pages.accessed = pages.accessed + 1 end)
on({ "filemap_add_folio", "add_to_page_cache_lru" }, function() pages.added = pages.added + 1 end)
on({ "mark_buffer_dirty" }, function() pages.buffers = pages.buffers + 1 end)
probe("tracepoint:writeback:writeback_dirty_folio", function()
  pages.dirtied = pages.dirtied + 1
end)

local before = {}
local function show()
  local now = {}
  for name, total in pairs(pages) do now[name], before[name] = total - (before[name] or 0), total end
  local total = math.max(0, now.accessed - now.buffers) -- accesses by reads
  local misses = math.min(total, math.max(0, now.added - now.dirtied)) -- pages that reads added
  emit({
    time = strftime("%H:%M:%S"), hits = total - misses, misses = misses, dirties = now.buffers,
    hit_percent = total > 0 and (total - misses) * 100 // total or 0,
  }, { "time", "hits", "misses", "dirties", "hit_percent" })
end
every(opt.interval, show)
at_exit(show)
