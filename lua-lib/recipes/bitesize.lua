recipe {
  name = "bitesize",
  summary = "Histogram of the sizes of disk requests, by program",
  version = "1.0.0",
  category = "disks",
  options = {
    { name = "name", short = "n", type = "string", help = "only programs of this name" },
  },
  examples = {
    [[
moontrace bitesize -n dd
bitesize = dd
kbytes : count  distribution
4 -> 7 :   400  |****************************************|]],
  },
}

local bitesize = hist()

probe("tracepoint:block:block_rq_issue", function(args)
  if not opt.name or args.comm == opt.name then bitesize[args.comm]:add(args.bytes // 1024) end
end)

at_exit(function() bitesize:print{ unit = "kbytes" } end)
