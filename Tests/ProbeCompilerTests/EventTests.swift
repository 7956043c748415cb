import Glibc
import KernelTestSupport
import ProbeCompiler
import Support
import Testing

/// Events, maps, text and aggregates: what probes send and keep is what they were given.
@Suite(.requires(.root), .serialized) struct EventTests {
  private static func schema(maps: Int = 0, aggregates: [ProbeSchema.AggregateType] = []) -> ProbeSchema {
    var schema = ProbeSchema()
    schema.maps = (0..<maps).map { ProbeSchema.MapType(name: "m\($0)", maximum: 4) }
    schema.aggregates = aggregates
    return schema
  }

  @Test func theExampleOfTheSpecification() throws {
    let bench = try ProbeBench(
      """
      local started, opt = "map 0", { failed = false }
      return {
        function(args)
          if opt.pid and pid ~= opt.pid then return end
          started[tid] = { file = args.filename, at = nsecs }
        end,
        function(args)
          local s = started[tid]
          if not s then return end
          started[tid] = nil
          if opt.failed and args.ret >= 0 then return end
          return { pid = pid, comm = comm, ret = args.ret, us = (nsecs - s.at) // 1000, path = str(s.file) }
        end,
      }
      """, [.words([("filename", .userPointer(to: ""))]), .words([("ret", .integer)])], schema: Self.schema(maps: 1))
    let path = strdup("/etc/hostname")
    defer { free(path) }
    try bench.run(1, [3])  // nothing started: nothing sent
    try bench.run(0, [Int64(Int(bitPattern: path))])
    try bench.run(1, [-2])
    try bench.run(1, [4])  // taken away already
    let events = bench.takeEvents()
    try #require(events.count == 1)
    let words = events[0]
    #expect(words[1] == Int64(getpid()))
    #expect(words[4] == -2)
    #expect(words[6] == 1, "the path could be read")
    #expect(ProbeBench.text(words[7...]) == "/etc/hostname")
    #expect(try bench.failures().isEmpty)
  }

  @Test func countsThatNobodyElseCanSplit() throws {
    let bench = try ProbeBench(
      """
      local m = "map 0"
      return { function() m[arg0] = (m[arg0] or 0) + arg1 end, function() m[arg0] = m[arg0] - 1 end }
      """, [.words([]), .words([])], schema: Self.schema(maps: 1))
    for _ in 0..<5 { try bench.run(0, [7, 3]) }
    try bench.run(1, [7])
    #expect(bench.value(of: .map(0), [7]) == [14])
    try bench.run(1, [8])
    #expect(try bench.failures() == ["2: attempt to perform arithmetic on a nil value": 1])
  }

  @Test(arguments: [
    "m[arg0] = (m[arg0] or 0) + 1", "m[uid] = (m[uid] or 0) + 1", "local k = arg0 & 7 m[k] = 1 + (m[k] or 0)",
  ])
  func nothingIsLostBetweenTwoCPUs(_ action: String) throws {
    let bench = try ProbeBench(
      "local m = \"map 0\" return { function() \(action) end }", [.words([])], schema: Self.schema(maps: 1))
    let program = try #require(bench.programs.first)
    let runs = 100_000
    let done = concurrently([0, 1]) { _ in (0..<runs).count { _ in (try? program.run(arguments: [0])) != nil } }
    #expect(done == [runs, runs])
    #expect(bench.value(of: .map(0), [0]) == [Int64(2 * runs)], "the user is root, whose number is 0")
  }

  @Test(arguments: [
    "change(args) return { name = s.name }", "local name = s.name change(args) return { name = name }",
    "local name = s.name m[1] = nil m[2] = { name = str(args.name, 15) } return { name = name }",
    "local name = s.name for i = 1, 2 do change(args) end return { name = name }",
    "local list = { s.name } change(args) return { name = list[1] }",
  ])
  func textOutlivesTheElementThatHeldIt(body: String) throws {
    let bench = try ProbeBench(
      """
      local m = "map 0"
      local function change(args)
        m[1] = nil
        m[2] = { name = str(args.name, 15) } -- may get the memory of what was deleted
        m[3] = { name = str(args.name, 15) }
      end
      return {
        function(args) m[1] = { name = str(args.name, 15) } end,
        function(args)
          local s = m[1]
          if not s then return end
          \(body)
        end,
      }
      """, [.words([("name", .userPointer(to: ""))]), .words([("name", .userPointer(to: ""))])],
      schema: Self.schema(maps: 1))
    let (first, second) = (strdup("first"), strdup("second"))
    defer {
      free(first)
      free(second)
    }
    try bench.run(0, [Int64(Int(bitPattern: first))])
    try bench.run(1, [Int64(Int(bitPattern: second))])
    let event = try #require(bench.takeEvents().first)
    #expect(event[1] == 1 && ProbeBench.text(event[2...]) == "first")
  }

  @Test func fullMapsEndTheRun() throws {
    let bench = try ProbeBench(
      #"local m = "map 0" return { function() m[{ arg0, comm }] = true end }"#, [.words([])],
      schema: Self.schema(maps: 1))
    for key in 0..<6 { try bench.run(0, [Int64(key)]) }
    #expect(try bench.failures() == ["1: map 'm0' is full (it holds 4)": 2])
  }

  @Test func aggregates() throws {
    let bench = try ProbeBench(
      """
      local c, h = "aggregate 0", "aggregate 1"
      return { function() c[{ arg0, comm }]:add(1) h:add(arg1) count(arg0) sum(arg1) stats(arg1, "x") end }
      """, [.words([])],
      schema: Self.schema(aggregates: [.init(name: "c", function: .count), .init(name: "h", function: .histogram)]))
    for value: Int64 in [-5, 0, 1, 2, 3, 1024, .max] { try bench.run(0, [1, value]) }
    for (bucket, expected) in [(0, 1), (1, 1), (2, 1), (3, 2), (12, 1), (64, 1)] {
      #expect(bench.value(of: .aggregate(1), [Int64(bucket)]) == [Int64(expected)], "bucket \(bucket)")
    }
    #expect(bench.value(of: .aggregate(2), [1]) == [7])
    #expect(bench.schema.aggregates.map(\.name) == ["c", "h", "count", "sum", "stats"])
  }

  @Test func text() throws {
    let bench = try ProbeBench(
      """
      return {
        function(args)
          local s = str(args.p, 16)
          if not s then return { what = "nothing", n = -1, h = false, e = false } end
          if s == "hello" then return { what = "greeting", n = #s, h = true, e = false } end
          return { what = s, n = #s, h = s:startswith("he"), e = s == comm }
        end,
      }
      """, [.words([("p", .userPointer(to: ""))])], schema: Self.schema())
    for text in ["hello", "help", "", "0123456789abcdef", "0123456789abcdefghij"] {
      let copy = strdup(text)
      defer { free(copy) }
      try bench.run(0, [Int64(Int(bitPattern: copy))])
    }
    try bench.run(0, [8])
    let events = bench.takeEvents()
    try #require(events.count == 6)
    #expect(ProbeBench.text(events[0][1..<4]) == "greeting" && events[0][4] == 5)
    #expect(ProbeBench.text(events[1][1..<4]) == "help" && events[1][4] == 4 && events[1][5] == 1)
    #expect(ProbeBench.text(events[2][1..<4]) == "" && events[2][4] == 0 && events[2][5] == 0)
    #expect(ProbeBench.text(events[3][1..<4]) == "0123456789abcdef" && events[3][4] == 16)
    #expect(ProbeBench.text(events[4][1..<4]) == "0123456789abcdef" && events[4][4] == 16)
    #expect(ProbeBench.text(events[5][1..<4]) == "nothing")
  }

  @Test func kernelStructures() throws {
    let bench = try ProbeBench(
      """
      return {
        function()
          return { tgid = curtask.tgid, parent = curtask.real_parent.tgid, name = curtask.comm, ppid = ppid }
        end,
        function(args) return { x = cast("struct task_struct", args.p).tgid } end,
      }
      """, [.words([]), .words([("p", .integer)])], schema: Self.schema())
    try bench.run(0)
    try bench.run(1, [0])
    let events = bench.takeEvents()
    try #require(events.count == 2)
    #expect(events[0][1...4] == [1, Int64(getpid()), 1, Int64(getppid())])
    #expect(events[1][1] == 0, "reading at NULL gives nil")
  }

  @Test func loopsOverArguments() throws {
    let bench = try ProbeBench(
      """
      local g = "map 0"
      return {
        function(args)
          local total = 0
          for i = 1, args.n do
            if i == 7 then return { i = i, total = total, n = args.n } end
            total = total + i
            g[i % 3] = total
          end
          return { total = total }
        end,
      }
      """, [.words([("n", .integer)])], schema: Self.schema(maps: 1))
    try bench.run(0, [3])
    try bench.run(0, [100])
    // One stream has one set of columns: what only some records have is nil in the others.
    #expect(bench.takeEvents().map { $0[1...] } == [[6, 0, 0, 0, 0], [21, 1, 7, 1, 100]])
  }
}

/// What probes may do with pointers.
@Suite(.requires(.root, .typeInformation), .serialized) struct PointerTests {
  @Test func pointersThatAMapHolds() throws {
    var schema = ProbeSchema()
    schema.maps = [ProbeSchema.MapType(name: "m", maximum: 4)]
    let bench = try ProbeBench(
      """
      local m = "map 0"
      return {
        function(args) m[1] = args.name end,
        function() local f = m[1] return { arg = f and str(f, 16) } end,
      }
      """, [.words([("name", .userPointer(to: "char *"))]), .words([])], schema: schema)
    try bench.run(1)
    let name = strdup("somebody")
    defer { free(name) }
    try bench.run(0, [Int64(Int(bitPattern: name))])
    try bench.run(1)
    try bench.run(0, [0])
    try bench.run(1)
    let events = bench.takeEvents()
    #expect(events.map { $0[1] } == [0, 1, 0], "NULL is nil")
    #expect(ProbeBench.text(events[1][2...]) == "somebody")
  }

  @Test func pointersKeepTheirTypeInMaps() throws {
    var schema = ProbeSchema()
    schema.maps = [ProbeSchema.MapType(name: "m", maximum: 4)]
    let bench = try ProbeBench(
      """
      local m = "map 0"
      local function pick(list, i) return list and str(list[i], 16) end
      return {
        function(args) m[1] = args.argv end,
        function() local list = m[1] return { arg = pick(list, 1) } end,
      }
      """, [.words([("argv", .userPointer(to: "const char *const *"))]), .words([])], schema: schema)
    let names: [UnsafeMutablePointer<CChar>?] = [strdup("one"), strdup("two")]
    defer { for name in names { free(name) } }
    try names.withUnsafeBufferPointer { list in
      try bench.run(0, [Int64(Int(bitPattern: list.baseAddress))])
      try bench.run(1)
    }
    let event = try #require(bench.takeEvents().first)
    #expect(event[1] == 1)
    #expect(ProbeBench.text(event[2...]) == "two")
  }

  @Test func structuresInUserMemory() throws {
    let bench = try ProbeBench(
      """
      return {
        function(args)
          local t = args.time
          return { sec = t.tv_sec, nsec = t.tv_nsec, first = str(args.argv[0], 16), second = str(args.argv[1], 16),
                   again = cast("struct __kernel_timespec", args.plain).tv_nsec }
        end,
      }
      """,
      [
        .words([
          ("time", .userPointer(to: "struct __kernel_timespec *")), ("argv", .userPointer(to: "const char *const *")),
          ("plain", .userPointer(to: "")),
        ])
      ], schema: ProbeSchema())
    let time = UnsafeMutablePointer<Int64>.allocate(capacity: 2)
    let words = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: 2)
    defer {
      time.deallocate()
      for index in 0..<2 { free(words[index]) }
      words.deallocate()
    }
    (time[0], time[1]) = (7, 42)
    (words[0], words[1]) = (strdup("one"), strdup("two"))
    try bench.run(0, [Int64(Int(bitPattern: time)), Int64(Int(bitPattern: words)), Int64(Int(bitPattern: time))])
    let event = try #require(bench.takeEvents().first)
    #expect(Array(event[1...4]) == [1, 7, 1, 42])
    #expect(ProbeBench.text(event[6...]) == "one" && ProbeBench.text(event[10...]) == "two")
    #expect(Array(event.suffix(2)) == [1, 42])
  }
}
