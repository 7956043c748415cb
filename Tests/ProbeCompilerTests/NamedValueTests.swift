import BTF
import CLibbpf
import Glibc
import KernelLoader
import KernelTestSupport
import Support
import Testing

@testable import ProbeCompiler

/// Values that the user half names: addresses of hosts, stacks, numbers of an enum.
@Suite(.requires(.root, .typeInformation), .serialized) struct NamedValueTests {
  private static let addresses: ProbeContext = .words([
    ("four", .integer), ("six", .userPointer(to: "struct in6_addr *")), ("old", .userPointer(to: "struct in_addr *")),
  ])

  @Test func addressesOfBothFamiliesInOneField() throws {
    let bench = try ProbeBench(
      """
      return { function(args)
        local v4 = args.four ~= 0
        return { addr = v4 and ntop(args.four) or ntop(buf(args.six, 16)) }
      end }
      """, [Self.addresses], schema: ProbeSchema())
    let field = DataType.Field(name: "addr", type: .optional(.named(.address, words: 3)))
    #expect(bench.schema.events.map(\.record) == [.record([field])])
    let six = UnsafeMutablePointer<Int64>.allocate(capacity: 2)
    defer { six.deallocate() }
    (six[0], six[1]) = (0x1234, 1 << 56)
    try bench.run(0, [0x0100_007f, 0, 0])
    try bench.run(0, [0, Int64(Int(bitPattern: six)), 0])
    try bench.run(0, [0, 8, 0])
    let events = bench.takeEvents()
    #expect(events[0][1...] == [1, 0x0100_007f, 0, 4])
    #expect(events[1][1...] == [1, 0x1234, 1 << 56, 16])
    #expect(events[2][1] == 0, "memory that can't be read is no address")
  }

  @Test func addressesThatPointersLeadTo() throws {
    let bench = try ProbeBench(
      "return { function(args) return { six = ntop(args.six), four = ntop(args.old) } end }", [Self.addresses],
      schema: ProbeSchema())
    let six = UnsafeMutablePointer<Int64>.allocate(capacity: 2)
    defer { six.deallocate() }
    (six[0], six[1]) = (-1, 7)
    try bench.run(0, [0, Int64(Int(bitPattern: six)), Int64(Int(bitPattern: six + 1))])
    try bench.run(0, [0, 0, 0])
    let events = bench.takeEvents()
    #expect(events[0][1...] == [1, -1, 7, 1, 7])
    #expect(events[1][1] == 0 && events[1][4] == 0)
  }

  private func refusal(_ body: String) throws -> String {
    let error = #expect(throws: MoontraceError.self) {
      _ = try ProbeBench("return { function(args) \(body) end }", [Self.addresses], schema: ProbeSchema())
    }
    return "\(try #require(error))"
  }

  @Test(arguments: [
    ("return { a = ntop(curtask) }", "no address is known to stand at a pointer to struct task_struct"),
    ("return { a = ntop(comm) }", "expected 4 or 16 bytes"),
    ("return { k = kstack(0) }", "constant from 1 to 127"),
    ("return { k = ustack(args.four) }", "constant from 1 to 127"),
    ("for i = 1, 2 do print(kstack) end", "before the loop"),
    ("return { b = buf(comm, 4) }", "expected a pointer, got a string value"),
    ("return { p = pid(1) }", "takes no arguments"), ("return { b = buf(args.six) }", "a number of bytes"),
    ("return { b = buf(args.six, 5000) }", "constant from 1 to 4096"),
    ("return { b = buf(args.six, args.four) }", "the limit behind it"),
    ("return { b = comm:find('a.') }", "text:find(\"…\", 1, true)"),
    ("return { b = comm:find(comm) }", "the text to look for is constant"),
    ("return { b = comm:upper() }", "there are find, startswith"),
  ])
  func isRefused(_ body: String, _ reason: String) throws {
    let message = try refusal(body)
    #expect(message.contains(reason), "\(message)")
  }

  // MARK: Enums

  @Test func numbersOfAnEnum() throws {
    let graph = try KernelTypes.graph()
    let type = try #require(graph.find("hrtimer_mode", .enum))
    let bench = try ProbeBench(
      """
      local m = "map 0"
      return { function(args)
        local mode, other = args.mode, args.spelled
        if mode == 1 then other = mode end
        m[1] = mode
        local kept
        for i = 1, 2 do if i == 2 then kept = mode + 0 end end
        local mixed = mode == 1 and mode or 7
        return { mode = mode, next = mode + 1, same = mode == 1, other = other, mixed = mixed, m = m[1],
          plain = args.unknown }
      end }
      """,
      [
        .words([
          ("mode", .enumeration(type)), ("spelled", .spelledEnumeration("enum hrtimer_mode")),
          ("unknown", .spelledEnumeration("enum no_such_enum")),
        ])
      ], schema: Self.oneMap)
    guard case .record(let fields)? = bench.schema.events.first?.record, case .enumeration(let mode) = fields[0].type
    else {
      Issue.record("no enum: \(bench.schema.events)")
      return
    }
    #expect(mode.names.contains { $0.name == "HRTIMER_MODE_REL" && $0.value == 1 })
    let named = DataType.enumeration(mode)
    #expect(fields.map(\.type) == [named, .integer, .boolean, named, .integer, .optional(named), .integer])
    #expect(bench.schema.maps[0].value == named)
    try bench.run(0, [1, 2, 3])
    #expect(bench.takeEvents().map { $0[1...] } == [[1, 2, 1, 1, 1, 1, 1, 3]])
  }

  private static let oneMap: ProbeSchema = {
    var schema = ProbeSchema()
    schema.maps = [ProbeSchema.MapType(name: "m", maximum: 4)]
    return schema
  }()

  @Test func onlyPercentSTakesAName() throws {
    let bench = try ProbeBench(
      #"return { function(args) printf("%-5d %%s %s %x\n", args.mode, args.mode, args.mode) end }"#,
      [.words([("mode", .spelledEnumeration("enum hrtimer_mode"))])], schema: ProbeSchema())
    guard case .tuple(let items)? = bench.schema.events.first?.record, case .enumeration = items[1] else {
      Issue.record("no enum: \(bench.schema.events)")
      return
    }
    #expect(items[0] == .integer && items[2] == .integer)
  }

  // MARK: Stacks

  @Test func stacksOfSeveralDepths() throws {
    let bench = try ProbeBench(
      """
      return { function()
        local deep = kstack()
        return { one = kstack(1), three = ustack(3), all = deep, again = kstack }
      end }
      """, [.words([])], schema: ProbeSchema())
    try bench.run(0)
    let event = try #require(bench.takeEvents().first)
    #expect(event[1] >= 0 && event[4] >= 0 && event[5] == event[4])
    let maps = Set(bench.compiled[0].maps)
    // A raw tracepoint's own stack usually begins with one frame that is left out.
    #expect(maps.isSuperset(of: [.stacks(depth: 2), .stacks(depth: 3), .stacks(depth: 127)]))
  }

  /// The same map may be filled from places whose stacks begin with the program's own frames and from others.
  @Test func stacksOfSeveralKindsOfProbes() throws {
    var schema = Self.oneMap
    schema.maps[0].key = .named(.kernelStack(depth: 127, frames: nil), words: 1)
    let bench = try ProbeBench(
      #"local m = "map 0" return { function() m[kstack] = 1 end }"#, [.words([])], schema: schema)
    #expect(bench.schema.maps[0].key == .named(.kernelStack(depth: 127, frames: 127), words: 1))
  }
}
