import CEventCore
import CLuaBridge
import EventStream
import LuaRuntime
import RandomTestSupport
import Support
import Testing

@testable import ProbeCompiler
@testable import Tracing

/// A runtime whose `pack(v)` and `unpack(bytes)` convert by the type under test.
final class Converter {
  let harness: SessionHarness
  private let namer: ProbeNamer
  private var plan: DecodePlan
  private var size: Int

  init() throws {
    harness = try SessionHarness()
    namer = ProbeNamer(harness.session.kernelSymbols, harness.session.userSymbols)
    plan = DecodePlan(data: .integer, namer: namer.core)
    size = 8
    harness.runtime.define("pack") { [unowned self] call throws(MoontraceError) in
      var bytes = [UInt8](repeating: 0xaa, count: size)
      let problem = bytes.withUnsafeMutableBytes { readLuaValue(call.lua, at: 1, plan.field, into: $0) }
      return problem.map { [.nil, .text($0)] } ?? [.string(bytes)]
    }
    harness.runtime.define("unpack") { [unowned self] call throws(MoontraceError) in
      let bytes = try call.string(1)
      let pushed = bytes.withUnsafeBytes {
        mt_lua_push_decoded(call.lua, plan.field, $0.baseAddress, UInt32($0.count))
      }
      return pushed ? .pushed(1) : []
    }
    try harness.publish()
  }

  func use(_ type: DataType) {
    plan = DecodePlan(data: type, namer: namer.core)
    size = Int(type.size)
  }

  /// What `return …` gives, as text.
  func run(_ text: String) throws -> String { try harness.text(of: text) }
}

/// A type and a value of it, as Lua text and as JSON.
struct Sample {
  var type: DataType
  var lua: String
  var json: String

  init(_ type: DataType, _ lua: String, _ json: String) {
    (self.type, self.lua, self.json) = (type, lua, json)
  }

  /// A random one, nested at most `depth` deep.
  init(depth: Int, _ random: inout SeededGenerator) {
    switch Int.random(in: 0..<(depth > 0 ? 7 : 4), using: &random) {
    case 0: self = .integer(.integer, &random)
    case 1:
      let truth = Bool.random(using: &random)
      self.init(.boolean, "\(truth)", "\(truth)")
    case 2: self = .text(&random)
    case 3: self = .address(&random)
    case 4:
      let inner = Sample(depth: depth - 1, &random)
      let isNil = Bool.random(using: &random)
      self.init(.optional(inner.type), isNil ? "nil" : inner.lua, isNil ? "null" : inner.json)
    case 5: self = .tuple((0..<Int.random(in: 1...4, using: &random)).map { _ in Sample(depth: depth - 1, &random) })
    default:
      self = .record((0..<Int.random(in: 1...4, using: &random)).map { _ in Sample(depth: depth - 1, &random) })
    }
  }

  private static func integer(_ type: DataType, _ random: inout SeededGenerator) -> Sample {
    let any = Int64.random(in: .min ... .max, using: &random)
    let edges: [Int64] = [0, 1, -1, .max, .min, 255, 256, Int64(Int32.max), any]
    let value = edges[Int.random(in: 0..<edges.count, using: &random)]
    return Sample(type, value == .min ? "math.mininteger" : "\(value)", "\(value)")
  }

  private static func address(_ random: inout SeededGenerator) -> Sample {
    let value = UInt64.random(in: 0 ... .max, using: &random)
    return Sample(.address(of: .user), "0x\(String(value, radix: 16))", "\(value)")
  }

  private static func text(_ random: inout SeededGenerator) -> Sample {
    let capacity = Int32.random(in: 1...8, using: &random) * 8
    let letters = Array("abcXYZ 0189_-/.")
    let text = String(
      (0..<Int.random(in: 0...Int(capacity), using: &random)).map { _ in
        letters[Int.random(in: 0..<letters.count, using: &random)]
      })
    return Sample(.string(capacity: capacity), "\"\(text)\"", "\"\(text)\"")
  }

  private static func tuple(_ items: [Sample]) -> Sample {
    // Lua's list ends where nils do, JSON's has them all.
    Sample(
      .tuple(items.map(\.type)), "{\(items.map(\.lua).joined(separator: ", "))}",
      "[\(items.map(\.json).joined(separator: ","))]")
  }

  private static func record(_ items: [Sample]) -> Sample {
    let fields = items.enumerated().map { ("f\($0.offset)", $0.element) }
    return Sample(
      .record(fields.map { .init(name: $0.0, type: $0.1.type) }),
      "{\(fields.map { "\($0.0) = \($0.1.lua)" }.joined(separator: ", "))}",
      "{\(fields.map { "\"\($0.0)\":\($0.1.json)" }.joined(separator: ","))}")
  }
}

@Suite struct DataPlanTests {
  @Test func randomValuesComeBack() throws {
    let seed = UInt64.random(in: 0 ... .max)
    print("seed \(seed)")
    var random = SeededGenerator(seed: seed)
    let converter = try Converter()
    try converter.harness.run(library: Self.comparison)
    for _ in 0..<400 {
      let sample = Sample(depth: 3, &random)
      converter.use(sample.type)
      let same = try converter.run(
        "local v = \(sample.lua); local b = assert(pack(v)); return tostring(same(v, unpack(b))) .. #b")
      #expect(same == "true\(sample.type.size)", "\(sample) seed \(seed)")
    }
  }

  private static let comparison = """
    function same(a, b)
      if type(a) ~= "table" or type(b) ~= "table" then return a == b and math.type(a) == math.type(b) end
      for k, v in pairs(a) do if not same(v, b[k]) then return false end end
      for k in pairs(b) do if a[k] == nil then return false end end
      return true
    end
    """

  @Test func randomRecordsPrintAsJSON() throws {
    let seed = UInt64.random(in: 0 ... .max)
    print("seed \(seed)")
    var random = SeededGenerator(seed: seed)
    let converter = try Converter()
    for _ in 0..<200 {
      let sample = Sample(depth: 3, &random)
      let type = DataType.record([.init(name: "value", type: sample.type)])
      converter.use(type)
      let hex = try converter.run(
        """
        local function hex(byte) return ("%02x"):format(byte:byte()) end
        return (assert(pack({ value = \(sample.lua) })):gsub(".", hex))
        """)
      #expect(try printed(type, bytes(hex)) == "{\"value\":\(sample.json)}\n", "\(sample) seed \(seed)")
    }
  }

  private func bytes(_ hex: String) -> [UInt8] {
    let digits = Array(hex.utf8)
    return stride(from: 0, to: digits.count, by: 2).compactMap {
      UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
    }
  }

  /// A record as one line of JSON.
  private func printed(_ type: DataType, _ bytes: [UInt8], as format: OutputFormat = .json) throws -> String {
    let harness = try SessionHarness()
    let plan = DecodePlan(data: type, namer: harness.session.probes.namer.core)
    var output = mt_output()
    try #require(mt_output_open(&output, -1))
    defer { mt_output_close(&output) }
    var widths = [UInt16](repeating: 0, count: Int(plan.plan.pointee.field_count))
    mt_output_table_widths(plan.plan, &widths)
    switch format {
    case .json: mt_output_json_record(&output, plan.plan, bytes, UInt32(bytes.count))
    case .csv: mt_output_csv_record(&output, plan.plan, bytes, UInt32(bytes.count))
    case .table: mt_output_table_record(&output, plan.plan, &widths, bytes, UInt32(bytes.count))
    }
    return String(decoding: UnsafeRawBufferPointer(start: output.bytes, count: output.length), as: UTF8.self)
  }

  private static func word(_ value: UInt64) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }

  /// A number that is nil, a text that is there, a tuple, and a text that the record's end cuts.
  private static let mixed = DataType.record([
    .init(name: "n", type: .optional(.integer)), .init(name: "s", type: .optional(.string(capacity: 8))),
    .init(name: "t", type: .tuple([.integer, .boolean])),
    .init(name: "r", type: .record([.init(name: "path", type: .string(capacity: 64))])),
  ])
  private static let mixedBytes =
    word(0) + word(7) + word(1) + Array("ab\0\0\0\0\0\0".utf8) + word(3) + word(1) + Array("/etc".utf8)

  @Test(arguments: [
    (OutputFormat.json, "{\"n\":null,\"s\":\"ab\",\"t\":[3,true],\"r\":{\"path\":\"/etc\"}}\n"),
    (.csv, ",ab,\"[3,true]\",\"{\"\"path\"\":\"\"/etc\"\"}\"\n"),
    (.table, "           - ab       [3,true]         {\"path\":\"/etc\"}\n"),
  ])
  func textThatTheRecordsEndCutsIsRead(_ format: OutputFormat, _ expected: String) throws {
    #expect(try printed(Self.mixed, Self.mixedBytes, as: format) == expected)
  }

  @Test func optionalValuesAreRightAlignedNumbers() throws {
    let type = DataType.record([.init(name: "n", type: .optional(.integer)), .init(name: "m", type: .integer)])
    #expect(
      try printed(type, Self.word(1) + Self.word(42) + Self.word(7), as: .table) == "          42            7\n")
  }

  @Test func namedValuesReadAsText() throws {
    let loopback: UInt64 = 0x0100_007f
    let type = DataType.record([
      .init(name: "v4", type: .named(.address4, words: 1)), .init(name: "v6", type: .named(.address6, words: 2)),
      .init(name: "stack", type: .named(.kernelStack(depth: 127, frames: 127), words: 1)),
      .init(name: "symbol", type: .named(.kernelSymbol, words: 1)),
    ])
    let bytes = Self.word(loopback) + Self.word(0) + Self.word(1 << 56) + Self.word(.max) + Self.word(0x10)
    #expect(
      try printed(type, bytes) == "{\"v4\":\"127.0.0.1\",\"v6\":\"::1\",\"stack\":\"\",\"symbol\":\"0x10\"}\n")
  }

  @Test func namingsTravelAsNumbers() {
    let namings: [DataType.Naming] = [
      .kernelSymbol, .userSymbol, .kernelStack(depth: 127, frames: nil), .kernelStack(depth: 5, frames: 3),
      .userStack(depth: 9), .address4, .address6, .address,
    ]
    #expect(namings.map { DataType.Naming(number: $0.number) } == namings)
    #expect(DataType.Naming(number: 0xff) == nil)
  }

  @Test func addressesOfEitherFamily() throws {
    let type = DataType.record(
      ["a", "b", "c"].map { DataType.Field(name: $0, type: .named(.address, words: 3)) })
    let mapped: UInt64 = 0x0403_0201_ffff_0000
    let bytes = [0x0100_007f, 0, 4, 0, 1 << 56, 16, 0, mapped, 16].flatMap { Self.word($0) }
    #expect(try printed(type, bytes) == "{\"a\":\"127.0.0.1\",\"b\":\"::1\",\"c\":\"::ffff:1.2.3.4\"}\n")
  }

  private static let bytesAndEnum: DataType = {
    let names = [DataType.Enumeration.Name(name: "ONE", value: 1), .init(name: "MINUS", value: -1)]
    return .record([
      .init(name: "b", type: .optional(.bytes(capacity: 16))),
      .init(name: "e", type: .enumeration(.init(isSigned: true, names: names))), .init(name: "n", type: .integer),
    ])
  }()

  @Test(arguments: [
    (OutputFormat.json, #"{"b":"a\u0000\n\"","e":"MINUS","n":5}"# + "\n"), (.csv, "\"a\0\n\"\"\",MINUS,5\n"),
    (.table, "a\\x00\\x0a\"       MINUS            5\n"),
  ])
  func bytesAreEscapedAndEnumsNamed(_ format: OutputFormat, _ expected: String) throws {
    let bytes = Self.word(1) + Self.word(4) + Self.word(0x220a_0061) + Self.word(0) + Self.word(.max) + Self.word(5)
    #expect(try printed(Self.bytesAndEnum, bytes, as: format) == expected)
  }

  @Test func bytesAndEnumsInLua() throws {
    let converter = try Converter()
    converter.use(Self.bytesAndEnum)
    let text = "local r = unpack(pack({b = 'a\\0b', e = 'ONE', n = 1})) return #r.b .. r.b:byte(3) .. r.e"
    #expect(try converter.run(text) == "398ONE")
    #expect(try converter.run("return unpack(pack({e = 7, n = 1})).e") == "7", "a value without a name is a number")
    #expect(
      try converter.run("return select(2, pack({b = ('x'):rep(17), e = 1, n = 1}))")
        == "member 'b': expected at most 16 bytes of text, got 17")
  }

  @Test(arguments: [
    (DataType.tuple([.integer, .string(capacity: 8)]), "{1}", "element 2: expected a string, got nil"),
    (.tuple([.integer]), "{1, 2}", "expected a list of 1 values, got 2"),
    (.tuple([.integer]), "3", "expected a list, got 3"),
    (.integer, "1.5", "expected an integer (s64), got 1.5"),
    (.integer, "'1'", "expected an integer (s64), got a string"),
    (.boolean, "1", "expected true or false, got 1"),
    (.string(capacity: 8), "'123456789'", "expected at most 8 bytes of text, got 9"),
    (
      .record([.init(name: "a", type: .integer), .init(name: "b", type: .integer)]), "{a = 1}", "member 'b' is missing"
    ),
    (
      .record([.init(name: "pid", type: .integer)]), "{pid = 1, pdi = 2}",
      "the struct has no member 'pdi' (did you mean 'pid'?)"
    ),
    (.named(.kernelSymbol, words: 1), "'vfs_read'", "expected an integer (names can't be turned back), got a string"),
    (.named(.userSymbol, words: 2), "{1}", "expected a list of 2 integers"),
  ])
  func valuesThatDoNotFitAreRefused(_ type: DataType, _ value: String, _ problem: String) throws {
    let converter = try Converter()
    converter.use(type)
    #expect(try converter.run("return select(2, pack(\(value)))") == problem)
  }

  @Test func whatAnOptionalMemberLeavesOutIsNil() throws {
    let converter = try Converter()
    converter.use(.record([.init(name: "a", type: .integer), .init(name: "b", type: .optional(.integer))]))
    #expect(try converter.run("local r = unpack(pack({a = 5})); return r.a .. tostring(r.b)") == "5nil")
  }

  @Test func keysHaveNoGarbageBehindText() throws {
    let converter = try Converter()
    converter.use(.string(capacity: 16))
    #expect(try converter.run("return pack('ab') == 'ab' .. ('\\0'):rep(14)") == "true")
  }
}
