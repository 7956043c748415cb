-- bpf.object and bpf.compile: BPF programs written in C, as Lua objects.
local host = ...

local bpf = {}

-- A read-only table of named things whose missing names are errors with a suggestion.
local function catalogue(kind, object, entries, assign)
  return setmetatable({}, {
    __index = function(_, name)
      local entry = entries[name]
      if entry == nil then
        host.raise(object .. ": no " .. kind .. " '" .. tostring(name) .. "'" .. host.hint(tostring(name), entries))
      end
      if type(entry) == "function" then return entry() end
      return entry
    end,
    __newindex = assign or function(_, name)
      host.raise(object .. ": " .. kind .. "s can't be replaced (assigning to '" .. tostring(name) .. "')")
    end,
    __pairs = function(self)
      return function(_, name)
        local next_name = next(entries, name)
        if next_name ~= nil then return next_name, self[next_name] end
      end
    end,
    __name = kind .. "s of " .. object,
  })
end

local Program = {}
Program.__index = Program
Program.__name = "program"

--- Attaches the program: by its section, or where `spec` says ("profile:99", "uprobe:/bin/bash:readline").
function Program:attach(spec)
  if spec ~= nil and type(spec) ~= "string" then
    host.raise("program '" .. self.name .. "': attach expects a probe spec such as \"tracepoint:sched:sched_switch\"")
  end
  host.program_attach(self.object, self.name, spec)
  return self
end

--- Detaches it again; does nothing when it is not attached.
function Program:detach()
  host.program_detach(self.object, self.name)
  return self
end

--- Runs the iterator (SEC("iter/…")) once, attaching it where that has not been done; the text that it wrote.
function Program:read()
  return host.program_read(self.object, self.name)
end

--- Leaves the program out of the object: it is neither loaded nor attached. Before o:load() only.
function Program:disable()
  host.program_disable(self.object, self.name)
  return self
end

-- The text of iterators that are attached and that nobody reads arrives here.
host.iterator_output(function(text) printf("%s", text) end)

local Buffer = {}
Buffer.__index = Buffer
Buffer.__name = "event buffer"

--- Calls fn for every record. `type_name` ("struct event") says how to read them when the map's own
--- declaration does not.
function Buffer:each(fn, type_name)
  if type(fn) ~= "function" then host.raise("each: expected a function, got " .. type(fn)) end
  if type_name ~= nil and type(type_name) ~= "string" then
    host.raise("each: the record's type is a string such as \"struct event\", got " .. type(type_name))
  end
  host.buffer_each(self.object, self.name, fn, type_name)
  return self
end

local Object = {}
Object.__index = Object
Object.__name = "BPF object"

--- Loads the programs and maps into the kernel; o:attach() does it when it has not been done.
function Object:load()
  host.object_load(self.handle)
  return self
end

--- Attaches every program that is not attached yet, each by its section.
function Object:attach()
  host.object_attach(self.handle)
  return self
end

--- Detaches the programs and gives programs and maps back.
function Object:close()
  host.object_close(self.handle)
end

local function wrap(handle)
  local about = host.object_describe(handle)
  local programs, maps, globals = {}, {}, {}
  for name in pairs(about.programs) do programs[name] = setmetatable({ object = handle, name = name }, Program) end
  for name, is_buffer in pairs(about.maps) do
    maps[name] = is_buffer and setmetatable({ object = handle, name = name }, Buffer) or host.map(handle, name)
  end
  for name in pairs(about.globals) do
    globals[name] = function() return host.global_get(handle, name) end
  end
  local function assign(_, name, value)
    if globals[name] == nil then
      host.raise(about.name .. ": no global '" .. tostring(name) .. "'" .. host.hint(tostring(name), globals))
    end
    host.global_set(handle, name, value)
  end
  return setmetatable({
    handle = handle,
    name = about.name,
    programs = catalogue("program", about.name, programs),
    maps = catalogue("map", about.name, maps),
    globals = catalogue("global", about.name, globals, assign),
  }, Object)
end

--- Opens a BPF object: an ELF file made by clang -target bpf -g, a .c file, which clang compiles first, or a package. A
--- relative path is looked for in the working directory, then beside the script. `options` are values of globals, by
--- their names or by those that the package gives them on a command line.
function bpf.object(path, options)
  if type(path) ~= "string" then host.raise("bpf.object: expected a path, got " .. type(path)) end
  if options ~= nil and type(options) ~= "table" then
    host.raise("bpf.object: expected a table of options, got " .. type(options))
  end
  local object = wrap(host.object_open(path))
  for name, value in pairs(options or {}) do
    object.globals[host.object_variable(object.handle, tostring(name))] = value
  end
  return object
end

--- Compiles C text with clang, or takes the object from the cache, and opens it.
function bpf.compile(source)
  if type(source) ~= "string" then host.raise("bpf.compile: expected C source text, got " .. type(source)) end
  return wrap(host.object_compile(source))
end

return bpf
