-- What `moontrace run` does with a program written in C: options into its globals, load, attach, show.
local host = ...

host.iterator_output(function(text) printf("%s", text) end)

local handle = host.program_open()
if handle == nil then return end -- --help
local samples = host.program_samples(handle)
if #samples > 0 then load(host.library("samples"), "=[moontrace samples]")(host)(handle, samples) end
host.program_attach(handle, #samples > 0)
