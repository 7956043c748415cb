-- Holds lua-lib/moontrace/meta.lua against what scripts really see; prints "ok". arg[1]: the directory of the sources.
-- Run with --allow fs.read.
local function read(path)
  local file = assert(io.open(arg[1] .. "/" .. path))
  local text = file:read("a")
  file:close()
  return text
end

local problems = {}
local function same(what, declared, real)
  for name in pairs(declared) do
    if not real[name] then problems[#problems + 1] = "meta.lua declares " .. what .. " that is not there: " .. name end
  end
  for name in pairs(real) do
    if not declared[name] then problems[#problems + 1] = "meta.lua lacks " .. what .. ": " .. name end
  end
end

local function names(text, pattern)
  local found = {}
  for name in text:gmatch(pattern) do
    if not name:find("^__") then found[name] = true end
  end
  return found
end

local meta = read("lua-lib/moontrace/meta.lua")

-- Globals. What scripts see of them stands in prelude.lua by name, or is there from the beginning.
local standard = names([[
  _G _VERSION assert collectgarbage coroutine debug error getmetatable io ipairs load math next os pairs pcall print
  rawequal rawget rawlen rawset require select setmetatable string table tonumber tostring type utf8 warn xpcall
]], "%S+")

local function is_global(name)
  local known, value = pcall(function() return _G[name] end)
  if known then return value ~= nil end
  return value:find("has a value only inside a probe function", 1, true) ~= nil
end

local real = {}
for name in pairs(names(read("lua-lib/api/prelude.lua"), "[%a_][%w_]*")) do real[name] = is_global(name) or nil end
for name in pairs(_G) do real[name] = true end
for name in pairs(standard) do real[name] = nil end

-- Running the definitions shows which globals they declare, also those that have no value.
local declared, defined = {}, { string = {} }
assert(load(meta, "@meta.lua", "t", setmetatable({}, {
  __index = defined,
  __newindex = function(_, name, value) declared[name], defined[name] = true, value end,
})))()
same("the global", declared, real)

-- Methods, by the names of their classes there and here.
local function methods(text, class) return names(text, "function " .. class .. "[:.]([%w_]+)") end

local function same_methods(class, path, name, others)
  local there = methods(read("lua-lib/api/" .. path), name)
  for other in pairs(others or {}) do there[other] = true end
  same("the method of " .. class, methods(meta, class), there)
end
same_methods("Stream", "probes.lua", "Stream")
same_methods("Map", "probes.lua", "methods")
same_methods("Aggregate", "aggregates.lua", "methods", { add = true })
same_methods("Histogram", "aggregate_values.lua", "Histogram")
same_methods("Program", "bpf.lua", "Program")
same_methods("Buffer", "bpf.lua", "Buffer")
same_methods("Object", "bpf.lua", "Object")
same_methods("bpf", "bpf.lua", "bpf")
same("the method of ObjectMap or Map",
  names(read("lua-lib/moontrace/meta.lua"), "function O?b?j?e?c?t?Map[:]([%w_]+)"),
  names(read("Sources/CLuaBridge/mt_lua_map.c"), '{"([%w_]+)", [%w_]+},\n'))
same("the function of string", defined.string, names(read("lua-lib/api/prelude.lua"), "function string%.([%w_]+)"))

-- Fields of tables of options, by the checks on them.
local function fields(class)
  return names(meta:match("%-%-%-@class moontrace%." .. class .. "\n(.-)\n[^-]") .. "\n", "%-%-%-@field ([%w_]+)")
end

local function checked(path, caller)
  return names(read(path):match("check_options%(" .. caller .. ", options, {(.-)}"), "([%w_]+) =")
end
same("the option of probe", fields("ProbeOptions"), checked("lua-lib/api/probes.lua", '"probe"'))
same("the option of map", fields("MapOptions"), checked("lua-lib/api/probes.lua", '"map"'))
same("the option of print", fields("PrintOptions"), checked("lua-lib/api/aggregates.lua", '"print"'))
same("the option of aggregates", fields("AggregateOptions"), checked("lua-lib/api/aggregates.lua", "kind"))
same("the key of a header", fields("Header"),
  names(read("Sources/Recipes/RecipeHeader.swift"):match("let keys = %[(.-)%]"), '"([%w_]+)"'))
same("the key of an option", fields("Option"),
  names(read("Sources/Recipes/OptionDeclaration.swift"):match("let keys = %[(.-)%]"), '"([%w_]+)"'))
local types = {}
for list in read("Sources/Recipes/RecipeOption.swift"):match("enum OptionType[^\n]*(.-)\n\n"):gmatch("\n  case ([^\n]+)") do
  for name in pairs(names(list, "%a+")) do types[name] = true end
end
same("the type of an option", names(meta:match("@field type%? ([^\n ]+)"), "%a+"), types)

assert(not pcall(require, "moontrace.meta"), "what meta.lua declares would take the place of the real functions")
table.sort(problems)
print(#problems == 0 and "ok" or table.concat(problems, "\n"))
