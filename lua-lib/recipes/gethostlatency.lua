recipe {
  name = "gethostlatency",
  summary = "Trace host name lookups (getaddrinfo, gethostbyname) with the time they take",
  version = "1.0.0",
  category = "network",
  options = {
    { name = "pid", short = "p", type = "integer", help = "trace only this process" },
    { name = "library", short = "l", type = "string", default = "libc", help = "the library or program with them" },
  },
  examples = {
    [[
moontrace gethostlatency
         PID COMM                   LAT_US HOST
        4699 getent                    557 localhost
        4702 python3                  1401 localhost]],
    "moontrace gethostlatency -p 4711",
  },
}

local started = map { lru = true } -- thread -> its lookup

local function each_of(kind)
  local specs = {}
  for _, name in ipairs { "getaddrinfo", "gethostbyname", "gethostbyname2" } do
    specs[#specs + 1] = kind .. ":" .. opt.library .. ":" .. name
  end
  return specs
end

probe(each_of("uprobe"), function()
  if opt.pid and pid ~= opt.pid then return end
  started[tid] = { at = nsecs, host = arg0 }
end)

probe(each_of("uretprobe"), function()
  local lookup = started[tid]
  if not lookup then return end
  started[tid] = nil
  return { pid = pid, comm = comm, lat_us = (nsecs - lookup.at) // 1000, host = str(lookup.host) or "" }
end)
