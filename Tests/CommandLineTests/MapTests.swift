import Glibc
import KernelTestSupport
import Testing

/// Every kind of map, read and written by scripts and by programs in the kernel.
@Suite(.requires(.root, .clang))
struct MapTests {
  static let source = """
    enum colour { RED = 1, GREEN, BLUE };
    struct who { __u32 pid; char comm[16]; };
    struct part { int a; unsigned char list[3]; };
    struct about { __u64 count; enum colour colour; unsigned low : 3; int high : 5; struct part nested;
      struct part several[2]; char name[8]; _Bool flag; signed char tiny; };
    struct route { __u32 prefix; __u8 address[4]; };
    struct row { __uint(type, BPF_MAP_TYPE_ARRAY); __type(key, __u32); __type(value, __u64); __uint(max_entries, 3); };
    MAP(hash, HASH, __u32, __u64, 4);
    MAP(array, ARRAY, __u32, __s32, 3);
    MAP(cpu_hash, PERCPU_HASH, __u32, __u64, 8);
    MAP(cpu_array, PERCPU_ARRAY, __u32, __u32, 2);
    MAP(lru, LRU_HASH, __u32, __u64, 64);
    MAP(structs, HASH, struct who, struct about, 16);
    MAP(names, HASH, char[16], __u64, 16);
    MAP(colours, HASH, enum colour, enum colour, 16);
    MAP(big, HASH, __u32, __u64, 20000);
    struct { __uint(type, BPF_MAP_TYPE_LPM_TRIE); __type(key, struct route); __type(value, __u32); __uint(max_entries, 8);
      __uint(map_flags, BPF_F_NO_PREALLOC); } trie SEC(".maps");
    struct { __uint(type, BPF_MAP_TYPE_QUEUE); __type(value, __u32); __uint(max_entries, 3); } queue SEC(".maps");
    struct { __uint(type, BPF_MAP_TYPE_STACK); __type(value, struct who); __uint(max_entries, 3); } stack SEC(".maps");
    struct row first SEC(".maps"), second SEC(".maps");
    struct { __uint(type, BPF_MAP_TYPE_HASH_OF_MAPS); __uint(max_entries, 4); __type(key, __u32);
      __array(values, struct row); } by_hash SEC(".maps") = { .values = { [1] = &first, [3] = &second } };
    struct { __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS); __uint(max_entries, 2); __type(key, __u32);
      __array(values, struct row); } by_array SEC(".maps") = { .values = { [0] = &first } };
    struct { __uint(type, BPF_MAP_TYPE_PROG_ARRAY); __uint(key_size, 4); __uint(value_size, 4);
      __uint(max_entries, 2); } tails SEC(".maps");
    struct { __uint(type, BPF_MAP_TYPE_STACK_TRACE); __uint(key_size, 4); __uint(value_size, 1016);
      __uint(max_entries, 256); } traces SEC(".maps");
    MAP(kernel_stacks, HASH, __u32, __u64, 64);
    MAP(user_stacks, HASH, __u32, __u64, 64);
    MAP(counts, HASH, __u32, __u64, 16);
    MAP(cpu_counts, PERCPU_ARRAY, __u32, __u64, 1);
    MAP(cpu_hash_counts, PERCPU_HASH, __u32, __u64, 8);
    struct { __uint(type, BPF_MAP_TYPE_QUEUE); __type(value, __u32); __uint(max_entries, 8); } numbers SEC(".maps");
    __u64 total, called;
    int pid;

    static __always_inline void count(void *map, __u32 key) {
      __u64 one = 1, *n = bpf_map_lookup_elem(map, &key);
      if (n) __sync_fetch_and_add(n, 1); else bpf_map_update_elem(map, &key, &one, BPF_NOEXIST);
    }
    SEC("raw_tp/sys_enter") int on_call(struct bpf_raw_tracepoint_args *ctx) {
      if (ctx->args[1] != 110 || !is_ours()) return 0;
      __u32 number = __sync_fetch_and_add(&total, 1) + 1, zero = 0;
      __u64 value = number;
      count(&counts, number % 4);
      count(&cpu_counts, 0);
      count(&cpu_hash_counts, number % 2);
      count(&kernel_stacks, bpf_get_stackid(ctx, &traces, 0));
      bpf_map_push_elem(&numbers, &number, 0);
      bpf_map_update_elem(&first, &zero, &value, 0);
      bpf_map_update_elem(&lru, &number, &value, 0);
      return 0;
    }
    SEC("uprobe") int on_function(struct pt_regs *ctx) {
      pid = bpf_get_current_pid_tgid() >> 32;
      count(&user_stacks, bpf_get_stackid(ctx, &traces, BPF_F_USER_STACK));
      __sync_fetch_and_add(&called, 1);
      return 0;
    }
    """

  private static let shared = Result { try ObjectBench(source) }

  private func expect(
    _ lua: String, command: String? = nil, prints lines: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    try Self.shared.get().expect(lua, command: command, prints: lines, sourceLocation: sourceLocation)
  }

  // MARK: From scripts

  @Test func hash() throws {
    try expect(
      """
      o:load() m.hash[1] = 5 m.hash[0xffffffff] = -1 m.hash:set(2, 6)
      print(m.hash[1], m.hash[0xffffffff], m.hash:get(2), m.hash[7], #m.hash, m.hash:name())
      m.hash[1] = nil m.hash[99] = nil
      print(sorted(m.hash))
      print(show(m.hash:drain()[1] ~= nil), #m.hash)
      m.hash[1] = 1 m.hash:clear()
      print(#m.hash, next(m.hash:drain()))
      """,
      prints: """
        5\t-1\t6\tnil\t3\thash
        2:6 4294967295:-1
        true\t0
        0\tnil
        """)
  }

  @Test func array() throws {
    try expect(
      """
      o:load() m.array[0] = -7 m.array[2] = 9
      print(sorted(m.array), #m.array, m.array[3])
      m.array[0] = nil
      print(m.array[0], show(m.array:drain()[3]), m.array[2])
      m.array[1] = 4 m.array:clear() print(sorted(m.array))
      """,
      prints: """
        0:-7 1:0 2:9\t3\tnil
        0\t{1=2 2=9}\t0
        0:0 1:0 2:0
        """)
  }

  @Test func perCPU() throws {
    try expect(
      """
      o:load() local cpus = #m.cpu_array[0]
      m.cpu_hash[5] = {7} m.cpu_array[1] = {1}
      print(cpus == #m.cpu_hash[5], m.cpu_hash[5][1], sum(m.cpu_hash[5]), sum(m.cpu_array[1]), sum(m.cpu_array[0]))
      for k, list in pairs(m.cpu_hash) do print(k, #list == cpus) end
      print(sum(m.cpu_hash:drain()[1][2]), #m.cpu_hash)
      """,
      prints: """
        true\t7\t7\t1\t0
        5\ttrue
        7\t0
        """)
  }

  @Test func structsWithMembersOfEveryKind() throws {
    let value = """
      {colour=GREEN count=1 flag=true high=-3 low=5 name=seven77 nested={a=-4 list={1=1 2=2 3=3}} \
      several={1={a=1 list={1=0 2=0 3=0}} 2={a=2 list={1=9 2=0 3=0}}} tiny=-1}
      """
    try expect(
      """
      o:load()
      m.structs[{pid = 7, comm = "abc"}] = {count = 1, colour = 2, low = 5, high = -3, nested = {a = -4, list = {1, 2, 3}},
        several = {{a = 1}, {a = 2, list = {9}}}, name = "seven77", flag = true, tiny = -1}
      print(show(m.structs[{7, "abc"}]))
      print(sorted(m.structs) == "{comm=abc pid=7}:" .. show(m.structs[{7, "abc"}]), m.structs[{7}], m.structs[{8, "abc"}])
      m.structs[{7, "abc"}] = nil print(#m.structs)
      """,
      prints: "\(value)\ntrue\tnil\tnil\n0")
  }

  @Test func textAndEnums() throws {
    try expect(
      """
      o:load() m.names.bash = 3 m.names:set("get", 4)
      print(m.names.bash, m.names:get("get"), m.names.nobody, sorted(m.names))
      m.colours[1] = 2 m.colours.BLUE = "RED"
      print(m.colours[1], m.colours.BLUE, sorted(m.colours))
      """,
      prints: """
        3\t4\tnil\tbash:3 get:4
        GREEN\tRED\tBLUE:RED RED:GREEN
        """)
  }

  @Test func prefixTrie() throws {
    try expect(
      """
      o:load() m.trie[{32, {10, 0, 0, 1}}] = 1 m.trie[{prefix = 8, address = {10}}] = 2
      print(m.trie[{32, {10, 0, 0, 1}}], m.trie[{32, {10, 9, 9, 9}}], m.trie[{32, {11}}], #m.trie)
      print(sorted(m.trie))
      m.trie[{prefix = 8, address = {10}}] = nil print(#m.trie, m.trie[{32, {10, 9, 9, 9}}])
      print(m.trie:drain()[1][2], #m.trie)
      """,
      prints: """
        1\t2\tnil\t2
        {address={1=10 2=0 3=0 4=0} prefix=8}:2 {address={1=10 2=0 3=0 4=1} prefix=32}:1
        1\tnil
        1\t0
        """)
  }

  @Test func queueAndStack() throws {
    try expect(
      """
      o:load() for i = 1, 3 do m.queue:push(i) m.stack:push {i, "c" .. i} end
      print(m.queue:peek(), m.queue:pop(), m.queue:pop(), m.queue:pop(), m.queue:pop(), m.queue:peek())
      print(m.stack:peek().comm, m.stack:pop().pid, m.stack:pop().pid, m.stack:pop().pid, m.stack:pop())
      m.queue:push(7) m.queue:push(8) print(table.concat(m.queue:drain(), " "), m.queue:pop())
      m.queue:push(9) m.queue:clear() print(m.queue:pop())
      """,
      prints: """
        1\t1\t2\t3\tnil\tnil
        c3\t3\t2\t1\tnil
        7 8\tnil
        nil
        """)
  }

  @Test func mapsOfMaps() throws {
    try expect(
      """
      o:load() m.second[1] = 42
      print(m.by_hash[3][1], #m.by_hash[3], m.by_hash[2], #m.by_hash, m.by_hash[1]:name())
      print(m.by_array[0]:name(), m.by_array[1])
      for k, inner in pairs(m.by_hash) do if k == 3 then print(sorted(inner)) end end
      try(function() m.by_hash[3][1] = 1 end)
      try(function() m.by_hash[3]:clear() end)
      try(function() m.by_hash[3] = 1 end)
      """,
      prints: """
        42\t3\tnil\t2\tfirst
        first\tnil
        0:0 1:42 2:0
        (command line):5: map 'second' is read-only: it can be read but not changed from Lua
        (command line):6: map 'second' is read-only: it can be read but not changed from Lua
        (command line):7: map 'by_hash' is read-only: the inner maps are set in its C definition
        """)
  }

  /// Each callback has a second, which must do on an emulated machine too.
  @Test(.requires(.nativeSpeed)) func twentyThousandEntries() throws {
    try expect(
      """
      o:load() for at = 1, 20000, 4000 do after(0.001, function() for i = at, at + 3999 do m.big[i] = i end end) end
      after(0.002, function()
      local n, total = 0, 0 for k, v in pairs(m.big) do n = n + 1 total = total + v end
      print(#m.big, n, total)
      try(function() m.big[20001] = 1 end)
      local all, total = m.big:drain(), 0
      for _, e in ipairs(all) do total = total + e[1] end
      print(#all, total, #m.big)
      exit() end)
      """,
      prints: """
        20000\t20000\t200010000
        (command line):5: map 'big': full (max_entries is 20000): delete entries, raise max_entries or use an LRU map
        20000\t200010000\t0
        """)
  }

  // MARK: From the kernel

  @Test func countsOfProgramsAreExact() throws {
    try expect(
      """
      p.on_call:attach()
      at_exit(function()
        print(g.total, sorted(m.counts))
        print(sum(m.cpu_counts[0]), sum(m.cpu_hash_counts[0]), sum(m.cpu_hash_counts[1]))
        print(table.concat(m.numbers:drain(), " "))
        print(m.by_hash[1][0], m.by_array[0][0], m.first[0])
        print(m.lru[1000], #m.lru <= 64, #m.lru > 0)
      end)
      """, command: "getppid 1000",
      prints: """
        1000\t0:250 1:250 2:250 3:250
        1000\t500\t500
        1 2 3 4 5 6 7 8
        1000\t1000\t1000
        1000\ttrue\ttrue
        """)
  }

  /// Several stacks where programs of other tests come to the same tracepoint or leave it meanwhile.
  @Test func kernelStacks() throws {
    try expect(
      """
      p.on_call:attach()
      at_exit(function()
        local calls, in_call = 0, 0
        for id, n in pairs(m.kernel_stacks) do
          local names = {}
          for i, address in ipairs(m.traces[id]) do names[ksym(address)] = true end
          calls = calls + n
          if names.do_syscall_64 then in_call = in_call + n end
        end
        print(calls, in_call)
        print(m.traces[-14])
      end)
      """, command: "getppid 500", prints: "500\t500\nnil")
  }

  /// The workload stays until the script, which has all it wants, ends the run: a process that is gone has no names.
  @Test func userStacks() throws {
    try expect(
      """
      p.on_function:attach("uprobe:" .. w .. ":workload_function")
      every(0.02, function()
        if g.called < 100 then return end
        for id, n in pairs(m.user_stacks) do
          local names = {}
          for i, address in ipairs(m.traces[id]) do names[i] = usym(address, g.pid) end
          print(n, names[1], table.concat(names, " "):find("main", 1, true) ~= nil)
        end
        exit()
      end)
      """, command: "call 100 60", prints: "100\tworkload_function\ttrue")
  }

  // MARK: What a script gets wrong

  @Test func keysAndValuesThatDoNotFit() throws {
    let place = "(command line)"
    try expect(
      """
      o:load()
      try(function() m.hash[-1] = 3 end)
      try(function() m.hash.x = 3 end)
      try(function() m.hash[1.5] = 3 end)
      try(function() return m.hash[nil] end)
      try(function() m.hash[2] = "x" end)
      try(function() m.array[1] = 1 << 40 end)
      try(function() m.array[3] = 1 end)
      try(function() m.cpu_hash[5] = 3 end)
      try(function() m.cpu_hash[5] = {"x"} end)
      try(function() m.structs[7] = {} end)
      try(function() m.structs[{pidd = 7}] = {} end)
      try(function() m.structs[{7}] = {cuont = 1} end)
      try(function() m.structs[{7}] = {low = 8} end)
      try(function() m.structs[{7}] = {name = "123456789"} end)
      try(function() m.colours.PINK = 1 end)
      try(function() m.names.get = 1 end)
      try(function() m.trie[{33, {1}}] = 1 end)
      """,
      prints: """
        \(place):2: map 'hash': key: expected 0…4294967295 (u32), got -1
        \(place):3: map 'hash': key: expected an integer (u32), got a string
        \(place):4: map 'hash': key: expected an integer (u32), got 1.5
        \(place):5: map 'hash': key: expected an integer (u32), got nil
        \(place):6: map 'hash': value: expected an integer (u64), got a string
        \(place):7: map 'array': value: expected -2147483648…2147483647 (s32), got 1099511627776
        \(place):8: map 'array': index 3 is out of range: it has 3 entries, numbered from 0
        \(place):9: map 'cpu_hash': value: expected a list with one value per CPU
        \(place):10: map 'cpu_hash': value of CPU 0: expected an integer (u64), got a string
        \(place):11: map 'structs': key: expected a table of members, got 7
        \(place):12: map 'structs': key: who has no member 'pidd' (did you mean 'pid'?)
        \(place):13: map 'structs': value: about has no member 'cuont' (did you mean 'count'?)
        \(place):14: map 'structs': value: member 'low': expected 0…7 (3 bits), got 8
        \(place):15: map 'structs': value: member 'name': expected at most 8 bytes of text, got 9
        \(place):16: map 'colours': key: the enum has no value 'PINK'
        \(place):17: map 'names': 'get' is a method; to write this key use m:set('get', value)
        \(place):18: map 'trie': refused by the kernel: the key's prefix length is from 0 to 32 bits
        """)
  }

  @Test func whatAKindOfMapDoesNotOffer() throws {
    let place = "(command line)"
    try expect(
      """
      o:load() for i = 1, 3 do m.queue:push(i) end
      try(function() m.queue:push(4) end)
      try(function() return m.queue[1] end)
      try(function() return #m.queue end)
      try(function() m.hash:push(1) end)
      try(function() return m.tails[0] end)
      try(function() m.traces[0] = {} end)
      try(function() m.hash = 1 end)
      """,
      prints: """
        \(place):2: map 'queue': full (max_entries is 3): delete entries, raise max_entries or use an LRU map
        \(place):3: map 'queue' is a queue or stack and has no keys: use m:push(v), m:pop(), m:peek()
        \(place):4: map 'queue': the kernel can't list or count a queue's or stack's values: use m:drain() or m:pop()
        \(place):5: push: it needs a queue or stack, and this is map 'hash' (hash, keys of 4 bytes, values of 8 bytes, \
        max_entries 4)
        \(place):6: map 'tails': maps of its type hold nothing that Lua can read or write
        \(place):7: map 'traces': only the kernel writes stack traces; assign nil to delete one
        \(place):8: \(try Self.shared.get().object): maps can't be replaced (assigning to 'hash')
        """)
  }

  @Test func beforeTheLoadAndAfterTheClose() throws {
    try expect(
      """
      try(function() return m.hash[1] end)
      try(function() m.hash[1] = 1 end)
      try(function() return #m.hash end)
      try(function() for _ in pairs(m.hash) do end end)
      try(function() m.queue:pop() end)
      o:load() m.hash[1] = 2 local kept, inner = m.hash, m.by_hash[1] o:close()
      try(function() return kept[1] end)
      print(inner[0])
      """,
      prints: [1, 2, 3, 4].map {
        "(command line):\($0): map 'hash' is not loaded yet: call o:load() or o:attach() first\n"
      }
      .joined() + """
        (command line):5: map 'queue' is not loaded yet: call o:load() or o:attach() first
        (command line):7: map 'hash' is not loaded yet: call o:load() or o:attach() first
        0
        """)
  }
}
