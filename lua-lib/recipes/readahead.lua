recipe {
  name = "readahead",
  summary = "Show how long pages that were read ahead wait for read() to use them, and how many were not used",
  version = "1.0.0",
  category = "files",
  examples = {
    [[
moontrace run -c 'dd if=FILE of=/dev/null bs=64k' readahead
read ahead: 2048 pages, unused: 0
readahead
msecs   : count  distribution
0 -> 0  :    64  |**************************              |
1 -> 1  :     0  |                                        |
2 -> 3  :    14  |*****                                   |
4 -> 7  :    98  |****************************************|
8 -> 15 :     2  |                                        |]],
  },
}

local running, born = map{ max = 65536 }, map{ max = 262144, lru = true }
local readahead, pages = hist(), global{ read = 0, used = 0 }

local function reads(ino, first, count) running[tid] = { ino = ino, first = first, last = first + count - 1 } end

local function uses(dev, ino, index)
  local key = { dev, ino, index }
  local page = born[key]
  if not page then return end
  born[key] = nil
  pages.used = pages.used + page.count
  readahead:add((nsecs - page.at) // 1000000)
end

-- A folio of many pages is used as one.
probe("tracepoint:filemap:mm_filemap_add_to_page_cache", function(args)
  local r, count = running[tid], 1 << args.order
  if not r or r.ino ~= args.i_ino or args.index < r.first or args.index > r.last then return end
  born[{ args.s_dev, args.i_ino, args.index }] = { at = nsecs, count = count }
  pages.read = pages.read + count
end)

local function on_start(args) reads(args.i_ino, args.index, args.nr_to_read) end

if pcall(probe, "tracepoint:readahead:page_cache_ra_unbounded", on_start) then -- newer kernels tell it themselves
  probe("tracepoint:readahead:page_cache_ra_order", function(args) reads(args.i_ino, args.index, args.size) end)
  probe("tracepoint:filemap:mm_filemap_get_pages", function(args)
    for index = args.index, args.last_index do uses(args.s_dev, args.i_ino, index) end
  end)
else
  probe("kprobe:page_cache_ra_unbounded", function()
    local control = cast("struct readahead_control", arg0)
    reads(control.mapping.host.i_ino, control._index, arg1)
  end)
  probe("kprobe:folio_mark_accessed", function()
    local folio = cast("struct folio", arg0)
    local inode = folio.mapping.host
    local dev = inode and inode.i_sb.s_dev
    if dev then uses(dev, inode.i_ino, folio.index) end -- anonymous memory has none
  end)
end

at_exit(function()
  if output_format == "table" then printf("read ahead: %d pages, unused: %d\n", pages.read, pages.read - pages.used) end
  readahead:print{ unit = "msecs" }
end)
