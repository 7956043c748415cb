recipe {
  name = "sslsniff",
  summary = "Show what programs send and receive through OpenSSL, before it is encrypted",
  version = "1.0.0",
  category = "network",
  options = {
    { name = "pid", short = "p", type = "integer", help = "trace only this process" },
    { name = "comm", short = "c", type = "string", help = "trace only processes of this name" },
    { name = "library", short = "l", type = "string", default = "libssl",
      help = "the library or program to look into" },
  },
  examples = {
    [[
moontrace sslsniff -c curl
RW                    PID COMM                  LEN DATA
WRITE               10345 curl                   84 GET /hello HTTP/1.1\x0d\x0aHost: 127.0.0.1:18443\x0d\x0aUser-Agent: curl/7.88.1\x0d\x0aAccept: */*\x0d\x0a\x0d\x0a
READ                10345 curl                   67 HTTP/1.0 200 ok\x0d\x0aContent-type: text/plain\x0d\x0a\x0d\x0ahello from the server\x0a]],
    "moontrace run -f json sslsniff -l /opt/node/bin/node",
  },
}

local calls = map { lru = true } -- thread -> what it gave to OpenSSL
local at = ":" .. opt.library .. ":SSL_"

local function started()
  if opt.pid and pid ~= opt.pid or opt.comm and comm ~= opt.comm then return end
  calls[tid] = { data = arg1 }
end

-- They return an int: how much it was, else 0 or less. What lies there may go on behind its end.
local function ended(rw, size)
  local call = calls[tid]
  if not call then return nil end
  calls[tid] = nil
  if size == 0 or size > 0x7fffffff then return nil end
  return { rw = rw, pid = pid, comm = comm, len = size, data = str(call.data, 4096) or "" }
end

local function show(e)
  emit({ rw = e.rw, pid = e.pid, comm = e.comm, len = e.len, data = e.data:sub(1, e.len) },
    { "rw", "pid", "comm", "len", "data" })
end
probe({ "uprobe" .. at .. "read", "uprobe" .. at .. "write" }, started)
probe("uretprobe" .. at .. "read", function() return ended("READ", retval & 0xffffffff) end):each(show)
probe("uretprobe" .. at .. "write", function() return ended("WRITE", retval & 0xffffffff) end):each(show)
