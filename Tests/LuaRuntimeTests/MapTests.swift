import CLuaBridge
import Glibc
import LuaRuntimeTestSupport
import Testing

@Suite struct MapTests {
  let fixture: LuaFixture

  init() throws { fixture = try LuaFixture() }

  /// All entries that pairs(m) gives, sorted.
  private static let listed = """
    local t = {}
    for k, v in pairs(m) do t[#t + 1] = tostring(k) .. '=' .. (type(v) == 'table' and json(v) or tostring(v)) end
    table.sort(t)
    return table.concat(t, ' ')
    """

  // MARK: Entries

  @Test func entriesAreWrittenReadAndDeleted() throws {
    try fixture.map("m")
    #expect(try fixture.run("m[1] = 5; m[1] = m[1] + 1; return m[1]") == "6")
    #expect(try fixture.run("return m[2]") == "nil")
    #expect(try fixture.run("m[1] = nil; m[1] = nil; return m[1]") == "nil")
    #expect(try fixture.run("m:set(3, 4); return m:get(3)") == "4")
  }

  @Test func structKeysAreTables() throws {
    try fixture.map("m", key: "endpoint", value: "enum")
    #expect(try fixture.run("m[{address = 1, port = 80}] = 'RENAME'; return m[{1, 80}]") == "RENAME")
    #expect(
      try fixture.run("for k, v in pairs(m) do return json(k) .. v end")
        == #"{"address":1,"host":"","port":80}RENAME"#)
  }

  @Test func methodsWinOverStringKeys() throws {
    try fixture.map("m", key: "text8", value: "u32")
    #expect(try fixture.run("m.bash = 1; return m.bash") == "1")
    #expect(try fixture.run("m:set('clear', 7); return m:get('clear') .. type(m.clear)") == "7function")
    #expect(
      try fixture.run("m.clear = 1")
        == "error: test:1: map 'm': 'clear' is a method; to write this key use m:set('clear', value)")
  }

  @Test func mapsWithoutTypesUseBytes() throws {
    let map = try fixture.map("m", key: nil, value: "u32")
    map.pointee.config.value = nil
    #expect(try fixture.run("m['abcd'] = 'efgh'; return m['abcd']") == "efgh")
    #expect(
      try fixture.run("m['abc'] = 'efgh'")
        == "error: test:1: map 'm': key: expected a string of 4 bytes, got 3 bytes")
  }

  @Test func wrongKeysAndValuesAreErrors() throws {
    try fixture.map("counts", value: "u8")
    #expect(
      try fixture.run("return counts.x")
        == "error: test:1: map 'counts': key: expected an integer (u32), got a string")
    #expect(
      try fixture.run("counts[1] = 300")
        == "error: test:1: map 'counts': value: expected 0…255 (u8), got 300")
    #expect(
      try fixture.run("local m = counts\nreturn m[nil]")
        == "error: test:2: map 'counts': key: expected an integer (u32), got nil")
    #expect(
      try fixture.run("return counts.get(1)")
        == "error: test:1: get: the map is missing; call it as m:get(…)")
  }

  @Test func theTextAndNameSayWhatItIs() throws {
    try fixture.map("counts", maxEntries: 16)
    #expect(
      try fixture.run("return tostring(counts)")
        == "map 'counts' (hash, keys of 4 bytes, values of 8 bytes, max_entries 16)")
    #expect(try fixture.run("return counts:name() .. tostring(getmetatable(counts))") == "countsmap")
  }

  @Test func aMapIsUsableOnceItIsLoaded() throws {
    let map = try fixture.map("m")
    let descriptor = map.pointee.config.fd
    map.pointee.config.fd = -1
    for use in ["m[1] = 1", "return m[1]", "return #m", "for _ in pairs(m) do end", "m:clear()"] {
      #expect(
        try fixture.run(use)
          == "error: test:1: map 'm' is not loaded yet: call o:load() or o:attach() first")
    }
    map.pointee.config.fd = descriptor
    #expect(try fixture.run("m[1] = 1; return m[1]") == "1")
  }

  @Test func readOnlyMapsAreNotWritten() throws {
    try fixture.map("m").pointee.config.read_only = true
    for use in ["m[1] = 1", "m[1] = nil", "m:clear()", "m:drain()"] {
      #expect(
        try fixture.run(use)
          == "error: test:1: map 'm' is read-only: it can be read but not changed from Lua")
    }
    #expect(try fixture.run("return m[1]") == "nil")
  }

  @Test func opaqueMapsSaySo() throws {
    try fixture.map("m", MT_MAP_OPAQUE)
    #expect(
      try fixture.run("return m[1]")
        == "error: test:1: map 'm': maps of its type hold nothing that Lua can read or write")
  }

  @Test func aFullMapSaysHowLargeItIs() throws {
    try fixture.map("m", maxEntries: 2)
    #expect(
      try fixture.run("m[1] = 1; m[2] = 2; m[3] = 3")
        == "error: test:1: map 'm': full (max_entries is 2): delete entries, raise max_entries or use an LRU map")
  }

  @Test(arguments: [
    (EPERM, "not permitted: run as root or with CAP_BPF; a frozen map can't be written"),
    (EEXIST, "the key exists already: delete it first"), (EINVAL, "refused by the kernel: Invalid argument"),
  ])
  func refusalsByTheKernelAreErrors(code: Int32, expected: String) throws {
    try fixture.map("m").pointee.failure = -code
    #expect(try fixture.run("m[1] = 1") == "error: test:1: map 'm': " + expected)
    #expect(try fixture.run("m[1] = nil") == "error: test:1: map 'm': " + expected)
    #expect(try fixture.run("return m[1]") == "error: test:1: map 'm': " + expected)
    #expect(try fixture.run("return pairs(m)()") == "error: test:1: map 'm': " + expected)
  }

  @Test func largeValuesWork() throws {
    try fixture.map("m", cpus: 400)
    #expect(try fixture.run("m[1] = {[400] = 7}; return #m[1] .. ' ' .. m[1][400]") == "400 7")
    #expect(try fixture.run("for k, v in pairs(m) do return v[400] end") == "7")
    #expect(try fixture.run("return json(m:drain()):sub(-4)") == "7]]]")
  }

  // MARK: Arrays, per-CPU values

  @Test func arraysHaveAllIndexes() throws {
    try fixture.map("m", MT_MAP_ARRAY, value: "u32", maxEntries: 4)
    #expect(try fixture.run("m[2] = 7; return #m .. m[0] .. m[2] .. tostring(m[4])") == "407nil")
    #expect(try fixture.run(Self.listed) == "0=0 1=0 2=7 3=0")
    #expect(try fixture.run("m[2] = nil; return m[2]") == "0")
    #expect(
      try fixture.run("m[4] = 1")
        == "error: test:1: map 'm': index 4 is out of range: it has 4 entries, numbered from 0")
    #expect(
      try fixture.run("return m[-1]")
        == "error: test:1: map 'm': key: expected 0…4294967295 (u32), got -1")
  }

  @Test func drainingAnArrayZeroesIt() throws {
    try fixture.map("m", MT_MAP_ARRAY, value: "u32", maxEntries: 3)
    #expect(
      try fixture.run("m[1] = 7; return json(m:drain()) .. json(m:drain())")
        == "[[0,0],[1,7],[2,0]][[0,0],[1,0],[2,0]]")
    #expect(try fixture.run("m[1] = 7; m:clear(); return m[1]") == "0")
  }

  @Test func perCPUValuesAreLists() throws {
    try fixture.map("m", cpus: 3, value: "u32")
    #expect(try fixture.run("m[1] = {1, 2}; return json(m[1])") == "[1,2,0]")
    #expect(try fixture.run(Self.listed) == "1=[1,2,0]")
    #expect(
      try fixture.run("m[1] = {1, 2, 3, 4}")
        == "error: test:1: map 'm': value: expected a list of at most 3 values, one per CPU")
    #expect(try fixture.run("m[1] = 5") == "error: test:1: map 'm': value: expected a list with one value per CPU")
    #expect(
      try fixture.run("m[1] = {1, 'x'}")
        == "error: test:1: map 'm': value of CPU 1: expected an integer (u32), got a string")
  }

  // MARK: Queues, stacks of addresses, maps of maps

  @Test func queuesPushAndPop() throws {
    try fixture.map("q", MT_MAP_QUEUE, value: "u32", maxEntries: 3)
    #expect(
      try fixture.run("q:push(1); q:push(2); return q:peek() .. q:pop() .. q:pop() .. tostring(q:pop())")
        == "112nil")
    #expect(
      try fixture.run("for i = 1, 3 do q:push(i) end; return json(q:drain()) .. tostring(q:peek())")
        == "[1,2,3]nil")
    #expect(try fixture.run("for i = 1, 4 do q:push(i) end").contains("full (max_entries is 3)"))
    #expect(try fixture.run("q:clear(); return q:pop()") == "nil")
    #expect(
      try fixture.run("return q[1]")
        == "error: test:1: map 'q' is a queue or stack and has no keys: use m:push(v), m:pop(), m:peek()")
    #expect(try fixture.run("return #q").contains("can't list or count"))
  }

  @Test func onlyQueuesPush() throws {
    try fixture.map("m")
    #expect(
      try fixture.run("m:push(1)").hasPrefix("error: test:1: push: it needs a queue or stack, and this is map 'm'"))
  }

  @Test func stackTracesAreListsOfAddresses() throws {
    let stacks = try fixture.map("stacks", MT_MAP_STACKS, value: "endpoint")
    let bytes: [UInt8] = [4, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]
    bytes.withUnsafeBytes { raw in
      let base = raw.baseAddress
      _ = stacks.pointee.config.operations.pointee.update(stacks.pointee.config.fd, base, base.map { $0 + 4 })
    }
    #expect(
      try fixture.run("return json(stacks[4]) .. tostring(stacks[5]) .. tostring(stacks[-14])")
        == "[-72057594037927920]nilnil")
    #expect(try fixture.run("stacks[4] = {1}").contains("only the kernel writes stack traces"))
    #expect(try fixture.run("stacks[4] = nil; return #stacks") == "0")
  }

  @Test func innerMapsAreReadAndClosed() throws {
    let inner = try fixture.map("inner")
    let outer = try fixture.map("outer", MT_MAP_OF_MAPS, value: "u32")
    _ = try fixture.run("inner[1] = 5")
    var key: UInt32 = 9
    var identity = UInt32(inner.pointee.config.fd)
    _ = outer.pointee.config.operations.pointee.update(outer.pointee.config.fd, &key, &identity)
    #expect(try fixture.run("return outer[9][1] .. tostring(outer[8])") == "5nil")
    #expect(try fixture.run("outer[9][1] = 6").contains("map 'inner' is read-only"))
    #expect(try fixture.run("outer[9] = 6").contains("map 'outer' is read-only"))
    #expect(try fixture.run("for k, v in pairs(outer) do return k .. v:name() .. v[1] end") == "9inner5")
    _ = try fixture.run("collectgarbage() collectgarbage()")
    #expect(mt_test_open_inner_maps() == 0)
    #expect(
      try fixture.run("local kept; do local m <close> = outer[9]; kept = m end; return kept[1]")
        == "error: test:1: get: the inner map has been closed")
    #expect(mt_test_open_inner_maps() == 0)
  }

  @Test func unusedInnerMapsMakeRoomForNewOnes() throws {
    let inner = try fixture.map("inner")
    let outer = try fixture.map("outer", MT_MAP_OF_MAPS, value: "u32")
    var key: UInt32 = 9
    var identity = UInt32(inner.pointee.config.fd)
    _ = outer.pointee.config.operations.pointee.update(outer.pointee.config.fd, &key, &identity)
    #expect(try fixture.run("local n = 0; for i = 1, 1000 do n = n + #outer[9] end; return n") == "0")
    #expect(
      try fixture.run("local t = {}; for i = 1, 100 do t[i] = outer[9] end").hasSuffix("Too many open files"))
  }

  // MARK: Walking

  /// The ways in which a kernel lets a map be walked.
  static let walks: [@Sendable (inout mt_test_map) -> Void] = [
    { _ in }, { $0.bucket = 7 }, { $0.batches = MT_TEST_NO_BATCHES }, { $0.batches = MT_TEST_INTERRUPTED_BATCHES },
    { $0.take_unsupported = true },
    {
      $0.batches = MT_TEST_NO_BATCHES
      $0.take_unsupported = true
    },
    { $0.bucket = 1000 },
  ]

  @Test(arguments: walks.indices)
  func everyEntryComesOnce(walk: Int) throws {
    let map = try fixture.map("m", maxEntries: 1000)
    Self.walks[walk](&map.pointee)
    _ = try fixture.run("for i = 1, 1000 do m[i] = i * 2 end")
    #expect(try fixture.run("return #m") == "1000")
    let totals = "local n, s = 0, 0; for k, v in pairs(m) do n = n + 1; s = s + k + v end; return n .. ' ' .. s"
    #expect(try fixture.run(totals) == "1000 1501500")
    let drained =
      "local n, s = 0, 0; for _, e in ipairs(m:drain()) do n = n + 1; s = s + e[1] + e[2] end; return n .. ' ' .. s"
    #expect(try fixture.run(drained) == "1000 1501500")
    #expect(try fixture.run("return #m .. ' ' .. #m:drain()") == "0 0")
    #expect(try fixture.run(totals) == "0 0")
  }

  @Test(arguments: walks.indices)
  func clearingWhileWalkingReachesEveryEntry(walk: Int) throws {
    let map = try fixture.map("m", maxEntries: 700)
    Self.walks[walk](&map.pointee)
    #expect(
      try fixture.run(
        """
        for i = 1, 700 do m[i] = i end
        local n = 0
        for k in pairs(m) do n = n + 1; m[k] = nil end
        return n .. ' ' .. #m
        """) == "700 0")
    #expect(try fixture.run("for i = 1, 700 do m[i] = i end; m:clear(); return #m") == "0")
  }

  @Test func batchesAreUsedWhereOffered() throws {
    let map = try fixture.map("m", maxEntries: 1000)
    _ = try fixture.run("for i = 1, 1000 do m[i] = i end")
    map.pointee.batch_calls = 0
    map.pointee.key_calls = 0
    _ = try fixture.run("for _ in pairs(m) do end")
    #expect(map.pointee.batch_calls == 4 && map.pointee.key_calls == 0)
  }

  @Test(arguments: [false, true])
  func keysThatVanishAreLeftOut(unsupported: Bool) throws {
    let map = try fixture.map("m", maxEntries: 100)
    map.pointee.batches = MT_TEST_NO_BATCHES
    map.pointee.take_unsupported = unsupported
    _ = try fixture.run("for i = 1, 100 do m[i] = i end")
    map.pointee.vanishing = 30
    #expect(try fixture.run("local n = 0; for _ in pairs(m) do n = n + 1 end; return n") == "70")
    map.pointee.vanishing = 20
    #expect(try fixture.run("return #m:drain()") == "50")
  }

  @Test(arguments: [MT_TEST_BATCHES, MT_TEST_NO_BATCHES])
  func aMapThatChangesWithoutEndEndsTheWalk(batches: mt_test_batches) throws {
    let map = try fixture.map("m", maxEntries: 10)
    map.pointee.batches = batches
    map.pointee.endless = true
    _ = try fixture.run("for i = 1, 10 do m[i] = i end")
    let count = try fixture.run("local n = 0; for _ in pairs(m) do n = n + 1 end; return n")
    #expect((10...114).contains(try unwrap(Int(count))))
    #expect(try fixture.run("return #m") == "10")
  }

  @Test func leavingAWalkEarlyLeaksNothing() throws {
    try fixture.map("m", maxEntries: 100)
    _ = try fixture.run("for i = 1, 100 do m[i] = i end; collectgarbage() collectgarbage()")
    let before = fixture.memoryInUse
    _ = try fixture.run(
      """
      for i = 1, 200 do
        for _ in pairs(m) do break end
        pcall(function() for _ in pairs(m) do error('x') end end)
      end
      """)
    _ = try fixture.run("collectgarbage() collectgarbage()")
    #expect(fixture.memoryInUse <= before + 1024)
  }

  @Test func writingWhileWalkingIsSafe() throws {
    let map = try fixture.map("m", maxEntries: 50)
    for batches in [MT_TEST_BATCHES, MT_TEST_NO_BATCHES] {
      map.pointee.batches = batches
      #expect(
        try fixture.run(
          """
          m:clear(); m[1] = 1
          for k, v in pairs(m) do m[k] = v + 1; if k < 50 then m[k + 1] = 1 end end
          return m[1]
          """) == "2")
    }
  }
}
