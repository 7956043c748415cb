---@meta _
-- The script API for editors: definitions for the Lua language server (https://luals.github.io). Nothing of it is run;
-- a test holds the names against those that scripts see. 'moontrace new' puts a copy into a project.

-- The header

---An option of a recipe: `--name`, in Lua `opt.name`.
---@class moontrace.Option
---@field name string lower case; `max-events` is `opt.max_events`
---@field short? string the letter of `-p`
---@field type? "integer"|"number"|"string"|"boolean"|"duration"|"size"|"file" a string unless told; durations are seconds, sizes bytes; a file may be written
---@field default? any
---@field help? string
---@field required? boolean
---@field choices? any[] the values that are allowed

---@class moontrace.Header
---@field name string lower case
---@field summary? string one line
---@field version? string
---@field category? string
---@field options? moontrace.Option[]
---@field needs? string[] capabilities that it can't do without, such as "kernel.write"
---@field examples? string[] for the end of its help

---Declares what the script is and which options it takes; the first statement of a recipe.
---
---```lua
---recipe {
---  name = "reads", summary = "Trace reads",
---  options = { { name = "pid", short = "p", type = "integer", help = "trace only this process" } },
---}
---```
---@param header moontrace.Header
function recipe(header) end

---The values of the options that the recipe's header declares, nil where none was given. Probes read them when they are
---registered: a branch on an option that was not given is not compiled. `opt.pid` is always there: `--pid`.
---@type table<string, any>
opt = {}

---What the command line gives behind the options; `arg[0]` is the script's name.
---@type string[]
arg = {}

-- Probes and streams

---What `args` of a probe holds: the arguments of the place, by name (`moontrace list -v SPEC`).
---@alias moontrace.Arguments table<string, any>

---An event: a view onto the record, valid while its handler runs.
---@class moontrace.Event
---@field [string] any
local Event = {}

---A table of the same fields, which stays valid.
---@return table<string, any>
function Event:copy() end

---The events of probes; without a handler they print themselves.
---@class moontrace.Stream
local Stream = {}

---Calls a function for every event, in user space.
---
---```lua
---probe("tracepoint:sched:sched_process_exec", function(args)
---  return { pid = pid, file = str(args.filename) }
---end):each(function(event) printf("%d %s\n", event.pid, event.file) end)
---```
---@param handler fun(event: moontrace.Event)
---@return moontrace.Stream self
function Stream:each(handler) end

---Sends an event, from a probe or from the user half.
---@param record table<string, any>
function Stream:emit(record) end

---@class moontrace.ProbeOptions
---@field optional? boolean a SPEC without a match is no error
---@field first? boolean only the first SPEC of the list that works here

---Runs a function in the kernel at each place that a SPEC, or a list of them, names; what it returns is an event.
---
---SPECs (`*` may stand in them): `tracepoint:category:event`, `rawtracepoint:event`, `kprobe:function[+offset]`,
---`kretprobe:function`, `fentry:function`, `fexit:function`, `uprobe:binary:symbol[+offset]`, `uretprobe:binary:symbol`,
---`usdt:binary:provider:name`, `profile:HZ`, `interval:SECONDS`, `software:event[:count]`, `hardware:event[:count]`,
---`iter:task`. In a probe, `probe` is the SPEC of the place that was hit.
---
---```lua
---probe("tracepoint:syscalls:sys_enter_openat", function(args)
---  return { comm = comm, path = str(args.filename) }
---end)
---```
---@param specs string|string[]
---@param fn fun(args: moontrace.Arguments): table<string, any>?
---@param options? moontrace.ProbeOptions
---@return moontrace.Stream
function probe(specs, fn, options) end

---Makes a stream that several probes feed with `s:emit{ … }`.
---@return moontrace.Stream
function stream() end

-- Maps and globals

---A map that probes and the user half share: `m[k]`, `m[k] = v`, `m[k] = nil`, `pairs(m)`, `#m`. In probes
---`m[k] = (m[k] or 0) + n` is one atomic step.
---@class moontrace.Map
---@field [any] any
---@operator len: integer
local Map = {}

---The value of any key, also of one that is called like a method.
---@param key any
---@return any
function Map:get(key) end

---Stores a value, also under a key that is called like a method.
---@param key any
---@param value any
function Map:set(key, value) end

---Deletes all entries.
function Map:clear() end

---Reads and empties the map.
---@return {[1]: any, [2]: any}[] entries key and value of each
function Map:drain() end

---@return string
function Map:name() end

---@class moontrace.MapOptions
---@field max? integer how many entries it holds; 10240 unless told
---@field lru? boolean when full, it drops what was not used for longest
---@field percpu? boolean each CPU has its own values
---@field key? any the type of keys, where neither probes nor stored values show it
---@field value? any the type of values, likewise

---Makes a map that probes and the user half share.
---
---```lua
---local started = map()
---probe("tracepoint:syscalls:sys_enter_read", function() started[tid] = nsecs end)
---```
---@param options? moontrace.MapOptions
---@return moontrace.Map
function map(options) end

---Makes integers and booleans that probes and the user half share; `g.x = g.x + 1` is one atomic step in a probe.
---
---```lua
---local g = global{ seen = 0 }
---```
---@generic T: table
---@param initial T
---@return T
function global(initial) end

-- Aggregates

---@class moontrace.Bucket
---@field min integer
---@field max integer the largest value that it counts
---@field count integer

---The value of a histogram: its buckets, in order.
---@class moontrace.Histogram: moontrace.Bucket[]
local Histogram = {}

---The value that `percent` of the counted values do not exceed.
---@param percent number
---@return number?
function Histogram:percentile(percent) end

---@class moontrace.Row
---@field key any nil without keys; a list for keys of several parts
---@field value any

---@class moontrace.PrintOptions
---@field top? integer show only so many rows
---@field title? string "" for none
---@field unit? string what the values are

---Counts in the kernel, exactly and on each CPU apart. In a probe: `a:add(v)`, `a[key]:add(v)`; in the user half
---`a[key]` is a value. What the script has not shown prints itself at the end.
---@class moontrace.Aggregate
---@field [any] any
local Aggregate = {}

---Counts a value; in a probe only. For `count` no value is needed.
---@param value? integer
function Aggregate:add(value) end

---@param options? moontrace.PrintOptions
function Aggregate:print(options) end

---The rows, the largest first.
---@return moontrace.Row[]
function Aggregate:rows() end

---The same, and starts over: each count is in the rows of exactly one drain.
---@return moontrace.Row[]
function Aggregate:drain() end

---Starts over.
function Aggregate:clear() end

---The value of a key, also of one that is called like a method; without a key, of an aggregate that has none.
---@param key? any
---@return any
function Aggregate:value(key) end

---Of a histogram without keys: the value that `percent` of the counted values do not exceed.
---@param percent number
---@return number?
function Aggregate:percentile(percent) end

---@class moontrace.FlamegraphOptions
---@field file? string where to write it, an SVG; without one it goes to the page of --report alone
---@field title? string
---@field unit? string what is counted

---Of an aggregate by stacks: draws them.
---@param options? moontrace.FlamegraphOptions
function Aggregate:flamegraph(options) end

---@class moontrace.AggregateOptions
---@field max? integer how many keys it holds; 10240 unless told
---@field name? string what output calls it; the variable's name unless told

---Makes an aggregate that counts; called in a probe, counts by the keys that it is given.
---
---```lua
---probe("tracepoint:raw_syscalls:sys_enter", function() count(comm) end)
---```
---@param options? moontrace.AggregateOptions
---@return moontrace.Aggregate
---@overload fun(...: any)
function count(options) end

---Makes an aggregate that sums up; in a probe `sum(value, key…)`.
---@param options? moontrace.AggregateOptions
---@return moontrace.Aggregate
---@overload fun(value: integer, ...: any)
function sum(options) end

---Makes an aggregate of averages; in a probe `avg(value, key…)`.
---@param options? moontrace.AggregateOptions
---@return moontrace.Aggregate
---@overload fun(value: integer, ...: any)
function avg(options) end

---Makes an aggregate of least values; in a probe `min(value, key…)`.
---@param options? moontrace.AggregateOptions
---@return moontrace.Aggregate
---@overload fun(value: integer, ...: any)
function min(options) end

---Makes an aggregate of greatest values; in a probe `max(value, key…)`.
---@param options? moontrace.AggregateOptions
---@return moontrace.Aggregate
---@overload fun(value: integer, ...: any)
function max(options) end

---Makes an aggregate of count, average, least, greatest and sum; in a probe `stats(value, key…)`.
---@param options? moontrace.AggregateOptions
---@return moontrace.Aggregate
---@overload fun(value: integer, ...: any)
function stats(options) end

---Makes a histogram by powers of two; in a probe `hist(value, key…)`.
---@param options? moontrace.AggregateOptions
---@return moontrace.Aggregate
---@overload fun(value: integer, ...: any)
function hist(options) end

---Makes a histogram of equal steps, which counts what lies outside too; in a probe `lhist(value, low, high, step, key…)`.
---@param low integer
---@param high integer
---@param step integer
---@param options? moontrace.AggregateOptions
---@return moontrace.Aggregate
---@overload fun(value: integer, low: integer, high: integer, step: integer, ...: any)
function lhist(low, high, step, options) end

---A stack that a script has counted itself.
---@class moontrace.StackRow
---@field user? string a stack as probes send it (ustack)
---@field kernel? string likewise (kstack)
---@field root? any what it belongs to: `comm`, or a list
---@field value? number how often it was seen; 1 unless told

---Draws stacks that a script has counted itself.
---@param rows moontrace.StackRow[]
---@param options? moontrace.FlamegraphOptions
function flamegraph(rows, options) end

-- Time and ending

---Calls a function again and again.
---@param seconds number
---@param fn fun()
function every(seconds, fn) end

---Calls a function once.
---@param seconds number from now
---@param fn fun()
function after(seconds, fn) end

---Calls a function when the trace ends, after the last event.
---@param fn fun()
function at_exit(fn) end

---Ends the run, from either half.
---@param code? integer 0 to 255; 0 unless told
function exit(code) end

-- Output

---Prints like `string.format`. In a probe the values are sent, and formatted in user space.
---@param format string
---@param ... any
function printf(format, ...) end

---Prints a record as `--format` says.
---
---```lua
---emit({ comm = "sh", bytes = 12 }, { "comm", "bytes" })
---```
---@param record table<string, any>
---@param columns? string[] their order
function emit(record, columns) end

---@type "table"|"json"|"csv" how the run prints: `--format`
output_format = "table"

---@type boolean whether what is printed may hold more than ASCII
output_is_utf8 = true

---@type boolean whether what is printed may be coloured
output_color = false

-- Names

---A kernel function by an address in it: "vfs_read+0x12".
---@param address integer
---@return string
function ksym(address) end

---A function of a process by an address in it. In a probe the process is the one that hit it.
---@param address integer
---@param pid? integer
---@return string
function usym(address, pid) end

---A time as strftime(3) writes it.
---@param format string such as "%H:%M:%S"
---@param nanoseconds? integer since 1970; now unless told
---@return string
function strftime(format, nanoseconds) end

---An address of IPv4 or IPv6 as text. In a probe also of a pointer to one.
---@param address integer|string|integer[] a number in network byte order, or 4 or 16 bytes
---@return string
function ntop(address) end

---The name of a system call: "openat".
---@param number integer
---@return string
function syscall_name(number) end

---The name of an error: "ENOENT" for 2 and, as system calls return it, for -2.
---@param number integer
---@return string
function errno_name(number) end

---The name of a signal: "SIGTERM".
---@param number integer
---@return string
function signal_name(number) end

---Whether a text begins with another; in both halves.
---@param text string
---@param beginning string
---@return boolean
function string.startswith(text, beginning) end

-- Programs in C

---A program of an object.
---@class moontrace.Program
---@field name string
local Program = {}

---Attaches it: where a SPEC says, or by its section.
---@param spec? string such as "profile:99" or "xdp:eth0"
---@return moontrace.Program self
function Program:attach(spec) end

---Detaches it again.
---@return moontrace.Program self
function Program:detach() end

---Runs an iterator once; the text that it wrote.
---@return string
function Program:read() end

---Leaves it out of the object; before the object is loaded.
---@return moontrace.Program self
function Program:disable() end

---A ring or perf buffer of an object; without a handler its records print themselves.
---@class moontrace.Buffer
---@field name string
local Buffer = {}

---Calls a function for every record.
---@param fn fun(event: moontrace.Event)
---@param type_name? string "struct event", when the map's declaration does not say it
---@return moontrace.Buffer self
function Buffer:each(fn, type_name) end

---A map of an object: `m[k]`, `m[k] = v`, `m[k] = nil`, `pairs(m)`, `#m`. Structs are tables by member name; values of per-CPU
---maps are lists.
---@class moontrace.ObjectMap: moontrace.Map
local ObjectMap = {}

---Adds to a queue or stack.
---@param value any
function ObjectMap:push(value) end

---Takes from a queue or stack; nil when it is empty.
---@return any
function ObjectMap:pop() end

---Looks at what would be taken next; nil when it is empty.
---@return any
function ObjectMap:peek() end

---An opened object: BPF programs written in C, with their maps and globals.
---@class moontrace.Object
---@field name string
---@field programs table<string, moontrace.Program>
---@field maps table<string, moontrace.ObjectMap|moontrace.Buffer>
---@field globals table<string, any> constant ones before loading, others always
local Object = {}

---Loads programs and maps into the kernel; `o:attach()` does it when it has not been done.
---@return moontrace.Object self
function Object:load() end

---Attaches every program that is not attached yet, each by its section.
---@return moontrace.Object self
function Object:attach() end

---Detaches the programs and gives programs and maps back.
function Object:close() end

---BPF programs written in C.
bpf = {}

---Opens a compiled object, a .c file, which clang compiles first, or a package (package.json, .yaml, .tar). A relative
---path is looked for in the working directory, then beside the script.
---
---```lua
---local o = bpf.object("opensnoop.package.json", { pid = 12 })
---```
---@param path string
---@param options? table<string, any> values of globals, by their names or by those that the package gives them
---@return moontrace.Object
function bpf.object(path, options) end

---Compiles C text with clang, or takes the object from the cache, and opens it.
---
---```lua
---local o = bpf.compile [[
---#include "vmlinux.h"
---#include <bpf/bpf_helpers.h>
---…
---]]
---o:attach()
---```
---@param source string
---@return moontrace.Object
function bpf.compile(source) end

-- Kernel values: only in probe functions, with or without ()

---The arguments of the place, by name; also the first parameter of the probe function.
---@type moontrace.Arguments
args = {}

---A value of the kernel half, which may be called too.
---@class moontrace.Number: integer
---@overload fun(): integer

---Text of the kernel half, which may be called too.
---@class moontrace.Text: string
---@overload fun(): string

---A stack, named in user space; called with a number of frames it takes only the innermost ones.
---@class moontrace.Stack: string
---@overload fun(frames?: integer): moontrace.Stack

---A value by the running kernel's types: members by name, elements from 0; nil where memory can't be read.
---@class moontrace.Pointer
---@field [any] any
---@overload fun(): moontrace.Pointer

---@type moontrace.Number the process (what user space calls so: a thread group)
pid = nil
---@type moontrace.Number the thread
tid = nil
---@type moontrace.Number
uid = nil
---@type moontrace.Number
gid = nil
---@type moontrace.Number the parent process
ppid = nil
---@type moontrace.Text the thread's name, at most 15 bytes
comm = nil
---@type moontrace.Text the parent's name
pcomm = nil
---@type moontrace.Number
cpu = nil
---@type moontrace.Number nanoseconds since the machine started
nsecs = nil
---@type moontrace.Number nanoseconds since the trace began
elapsed = nil
---@type moontrace.Number the id of the process's control group
cgroup = nil
---@type moontrace.Number 32 random bits
rand = nil
---@type moontrace.Pointer `struct task_struct` of the thread: `curtask.real_parent.tgid`
curtask = nil
---@type moontrace.Stack where the kernel is
kstack = nil
---@type moontrace.Stack where the process is
ustack = nil
---@type moontrace.Text the function that was hit
func = nil
---@type any what the function returned, in kretprobe, fexit and uretprobe
retval = nil
---@type moontrace.Number the first argument, of places without types
arg0 = nil
---@type moontrace.Number
arg1 = nil
---@type moontrace.Number
arg2 = nil
---@type moontrace.Number
arg3 = nil
---@type moontrace.Number
arg4 = nil
---@type moontrace.Number
arg5 = nil

---Text up to its first NUL, in user or kernel memory by the pointer's type. Of a text, a shorter one.
---@param pointer any
---@param max? integer bytes, a constant up to 4096; 256 unless told
---@return string? text nil where memory can't be read
function str(pointer, max) end

---Text in kernel memory, whatever the pointer's type.
---@param pointer any
---@param max? integer
---@return string?
function kstr(pointer, max) end

---Bytes, of which any may be 0.
---@param pointer any
---@param length integer a constant up to 4096; or any number with `max`
---@param max? integer a constant: at most so many
---@return string?
function buf(pointer, length, max) end

---A pointer of a type: `cast("struct sock", p)`.
---@param type string
---@param address any
---@return moontrace.Pointer
function cast(type, address) end

---What a register held where a kprobe, uprobe, USDT probe or clock hit.
---@param name string such as "ip", "sp" or "ax"
---@return integer
function reg(name) end

---Sends a signal to the process that hit the probe. Needs `--allow kernel.write`.
---@param signal integer|string such as "KILL"
---@return boolean sent
function signal(signal) end

---Makes the kernel function return a value at once, in a kprobe. Needs `--allow kernel.write`.
---@param value integer
function override(value) end
