import Glibc
import KernelTestSupport
import RandomTestSupport
import Support
import Testing

@testable import ProbeCompiler

/// `buf`, `string.find`, `str(text, n)`: what probes do with text and bytes.
@Suite(.requires(.root), .serialized) struct TextTests {
  /// Memory whose last page can't be read; gone with the value.
  private final class Pages {
    let start: UnsafeMutableRawPointer
    /// Where what can be read ends.
    var end: UnsafeMutableRawPointer { start + 8192 }

    init() throws {
      start = try #require(mmap(nil, 12288, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
      try #require(start != MAP_FAILED && munmap(start + 8192, 4096) == 0)
      memset(start, 0x2e, 8192)
    }

    deinit { munmap(start, 8192) }

    /// Puts bytes in; where they are, as a probe gets it.
    func put(_ bytes: [UInt8], at offset: Int) -> Int64 {
      bytes.withUnsafeBytes {
        (start + offset).copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(start), byteCount: $0.count)
      }
      return Int64(Int(bitPattern: start + offset))
    }
  }

  private static func bench(_ body: String, maps: Int = 0) throws -> ProbeBench {
    var schema = ProbeSchema()
    schema.maps = (0..<maps).map { ProbeSchema.MapType(name: "m\($0)", maximum: 4) }
    let words: [(String, ProbeContext.ArgumentType)] = [("p", .userPointer(to: "")), ("n", .integer)]
    return try ProbeBench(
      "local m = \"map 0\" return { function(args) \(body) end }", [.words(words)], schema: schema)
  }

  /// The bytes of a counted text that begins at a word, which is nil, or its length and its bytes.
  private static func bytes(_ words: ArraySlice<Int64>) -> [UInt8]? {
    let words = Array(words)
    guard words[0] == 1, words[1] >= 0 else { return nil }
    let all = words[2...].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * Int64($0))) } }
    return Array(all.prefix(Int(words[1])))
  }

  // MARK: buf

  @Test func asManyBytesAsWereAskedFor() throws {
    let bench = try Self.bench(
      #"return { b = buf(args.p, 13), n = #(buf(args.p, 13) or ""), same = buf(args.p, 3) == "a\0b" }"#)
    let pages = try Pages()
    let bytes = [0x61, 0, 0x62] + (0..<20).map { UInt8(200 + $0) }
    try bench.run(0, [pages.put(bytes, at: 5)])
    try bench.run(0, [pages.put([0x61, 0, 0x63], at: 5)])
    let events = bench.takeEvents()
    #expect(Self.bytes(events[0][1...4]) == Array(bytes[..<13]))
    #expect(events[0][5...] == [13, 1], "a NUL ends nothing")
    #expect(events[1].last == 0)
    #expect(events[0][4] >> 40 == 0, "what follows the bytes is zero")
  }

  @Test(arguments: [
    (Int64(0), 0), (1, 1), (7, 7), (8, 8), (99, 99), (100, 100), (101, 100), (1 << 40, 100), (.max, 100), (-1, 0),
    (.min, 0),
  ])
  func asManyBytesAsAVariableSays(_ count: Int64, _ expected: Int) throws {
    let bench = try Self.bench("return { b = buf(args.p, args.n, 100) }")
    let bytes = (0..<200).map { UInt8($0) }
    try bench.run(0, [try Pages().put(bytes, at: 0), count])
    let pages = try Pages()
    try bench.run(0, [pages.put(bytes, at: 0), count])
    let event = try #require(bench.takeEvents().last)
    #expect(Self.bytes(event[1...]) == Array(bytes[..<expected]))
  }

  /// What the verifier can't follow is limited for it all the same.
  @Test func asManyBytesAsAQuotientSays() throws {
    let bench = try Self.bench("return { b = buf(args.p, (args.n & 1023) // 10, 100) }")
    let pages = try Pages()
    let bytes = (0..<200).map { UInt8($0) }
    for (count, expected) in [(1 << 20 | 75, 7), (1023, 100)] {
      try bench.run(0, [pages.put(bytes, at: 0), Int64(count)])
      #expect(Self.bytes(try #require(bench.takeEvents().last)[1...]) == Array(bytes[..<expected]))
    }
  }

  @Test(arguments: ["buf(args.p, 4096)", "buf(args.p, args.n, 4096)"]) func atMost(_ call: String) throws {
    let bench = try Self.bench("return { b = \(call) }")
    let pages = try Pages()
    let bytes = (0..<4096).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    try bench.run(0, [pages.put(bytes, at: 100), 4096])
    #expect(Self.bytes(try #require(bench.takeEvents().first)[1...]) == bytes)
  }

  @Test func memoryThatIsNotThere() throws {
    let bench = try Self.bench(
      "return { a = buf(args.p, 16), b = buf(args.p, args.n, 64), c = buf(args.p, 1), ok = buf(args.p, 16) == nil }")
    let pages = try Pages()
    let nearEnd = Int64(Int(bitPattern: pages.end)) - 8
    for address in [nearEnd, 0, 8, -1, Int64(Int(bitPattern: pages.end))] { try bench.run(0, [address, 9]) }
    let events = bench.takeEvents()
    #expect(events.count == 5)
    #expect(events.map { $0[1] } == [0, 0, 0, 0, 0], "a part is as good as nothing")
    #expect(events.map { $0[5] } == [0, 0, 0, 0, 0])
    #expect(events.map { $0[15] } == [1, 0, 0, 0, 0], "the byte that is there")
    #expect(events.map(\.last) == [1, 1, 1, 1, 1])
  }

  @Test func bytesInMaps() throws {
    let bench = try Self.bench(
      #"""
      local old = m[1]
      m[1] = { b = buf(args.p, args.n, 24) or "none", c = comm }
      m[2] = { b = "x\0y", c = "const" }
      local short = m[2]
      local same = old ~= nil and old.b == buf(args.p, args.n, 24)
      return { b = old and old.b or "first", same = same, c = short and short.b }
      """#, maps: 1)
    let pages = try Pages()
    let address = pages.put([1, 0, 2, 0, 3], at: 64)
    try bench.run(0, [address, 5])
    try bench.run(0, [address, 5])
    try bench.run(0, [address, 4])
    let events = bench.takeEvents()
    let texts = events.map { Self.bytes([1] + $0[1...]) }
    #expect(texts == [Array("first".utf8), [1, 0, 2, 0, 3], [1, 0, 2, 0, 3]])
    #expect(events.map { $0[5] } == [0, 1, 0])
    #expect(events.map { Self.bytes($0[6...]) } == Array(repeating: [0x78, 0, 0x79], count: 3))
    #expect(try bench.failures().isEmpty)
  }

  @Test func bytesAsKeys() throws {
    let bench = try Self.bench("m[buf(args.p, args.n, 300)] = true", maps: 1)
    let pages = try Pages()
    let first = pages.put(Array("same".utf8) + [0] + Array("then".utf8), at: 0)
    let second = pages.put(Array("same".utf8) + [0] + Array("else".utf8), at: 1000)
    for address in [first, second, first] { try bench.run(0, [address, 5]) }
    let key = [5, Int64(0x656d_6173)] + [Int64](repeating: 0, count: 37)
    #expect(bench.value(of: .map(0), key) == [1])
    for count: Int64 in [6, 7, 8] { try bench.run(0, [first, count]) }
    #expect(try bench.failures().isEmpty, "four keys fit: no two were told apart by what follows them")
  }

  // MARK: string.find

  private static func text(_ random: inout SeededGenerator, upTo most: Int) -> String {
    String((0..<Int.random(in: 0...most, using: &random)).map { _ in "ab ".randomElement(using: &random) ?? "a" })
  }

  private static let places: [Int64] = [1, 2, 0, -1, -3, 5, 9, -9, 100, -100, .max, .min]

  /// Texts and needles of few letters, so that there are many near matches.
  @Test func findsWhatLuaFinds() throws {
    let seed = SeededGenerator.seed(for: "findsWhatLuaFinds")
    var random = SeededGenerator(seed: seed)
    for round in 0..<40 {
      let texts = (0..<4).map { _ in Self.text(&random, upTo: round % 2 == 0 ? 9 : 40) }
      let needle = Self.text(&random, upTo: round % 3 == 0 ? 12 : 3)
      let start = ["", ", b", ", -2", ", 3", ", a > 1 and b or nil"][round % 5]
      let function = """
        local function f(a, b)
          local s = '\(texts[0])'
          if a == 1 then s = '\(texts[1])' elseif a == 2 then s = '\(texts[2])' elseif a == 3 then s = '\(texts[3])' end
          local first, last = s:find('\(needle)'\(start))
          if not first then return last end
          return first * 1000 + last
        end
        """
      let script = try TestScript()
      let inLua = try script.load("\(function) return f")
      let inKernel = try KernelFunction(function)
      for a in 0..<Int64(4) {
        for b in start.contains("b") ? Self.places : [0] {
          let (kernel, lua) = (try inKernel([a, b]), script.call(inLua, [a, b]))
          try #require(kernel == lua, "a = \(a), b = \(b): \(lua ?? "?") in Lua, \(kernel ?? "?") here:\n\(function)")
        }
      }
    }
  }

  @Test(arguments: [
    "return ('abc'):find('c')", "return ('abc'):find('')", "return ('abc'):find('', 4)", "return ('abc'):find('', 5)",
    "return ('a.c'):find('.', 1, true)", "return ('a.c'):find('.', -1, true)", "return string.find('abc', 'b', a)",
    "local n = 0 for i = 1, 5 do local s = i > (a & 7) and 'xay' or 'yyyya' n = n + s:find('a') end return n",
    "local s = a > 3 and 'abc' or nil return s:find('b')",
    "local s if a > 3 then s = 'abc' end return (s or ''):find('c')",
    "local s = a > 0 and 'abcabc' or 'cab' if s:find('ca') then return 1 end return 2",
    "local s = a > 0 and 'abcabc' or 'c' return select_none or s:find('abcabcabcabc')",
  ])
  func findsInExpressions(_ body: String) throws {
    let function = "local select_none local function f(a, b, c) \(body) end"
    let script = try TestScript()
    let inLua = try script.load("\(function) return f")
    let inKernel = try KernelFunction(function)
    for a in LuaEqualityTests.interesting {
      #expect(try inKernel([a, 0, 0]) == script.call(inLua, [a, 0, 0]), "\(body) with \(a)")
    }
  }

  @Test(arguments: [(0, 6, "needle"), (4090, 6, "needle"), (4091, 5, "needle"), (-1, 0, "needle"), (17, 1, "n")])
  func findsInLongText(_ place: Int, _ length: Int, _ needle: String) throws {
    let bench = try Self.bench(#"return { at = str(args.p, 4096):find("\#(needle)"), n = #str(args.p, 4096) }"#)
    let pages = try Pages()
    var text = [UInt8](repeating: 0x2e, count: 4096) + [0]
    if place >= 0 { text.replaceSubrange(place..<place + length, with: needle.utf8.prefix(length)) }
    try bench.run(0, [pages.put(text, at: 0)])
    let event = try #require(bench.takeEvents().first)
    #expect(event[1...] == (length == needle.utf8.count ? [1, Int64(place + 1), 4096] : [0, 0, 4096]))
  }

  @Test func findsBehindANUL() throws {
    let bench = try Self.bench(#"local b = buf(args.p, args.n, 64) return { at = b and b:find("\0x") }"#)
    let pages = try Pages()
    let address = pages.put(Array("a\0b\0x".utf8), at: 0)
    for count: Int64 in [5, 4, 0] { try bench.run(0, [address, count]) }
    #expect(bench.takeEvents().map { $0[1] == 1 ? $0[2] : 0 } == [4, 0, 0])
  }

  // MARK: str(text, n)

  @Test func textIsCut() throws {
    let bench = try Self.bench(
      """
      local name = args.n > 0 and str(args.p, 32) or nil
      local bytes = str(buf(args.p, 9), 2)
      return { a = str(comm, 3), b = str(name, 5), c = bytes, d = str("constant", 5), e = str(name, 40) }
      """)
    let pages = try Pages()
    let address = pages.put(Array("a longer text\0".utf8), at: 0)
    try bench.run(0, [address, 1])
    try bench.run(0, [address, 0])
    let name = try readFile("/proc/thread-self/comm").prefix(3)
    for event in bench.takeEvents() {
      #expect(ProbeBench.text(event[1...1]) == String(decoding: name, as: UTF8.self))
      let isThere = event[2] == 1
      #expect(isThere ? ProbeBench.text(event[3...3]) == "a lon" : event[2] == 0)
      #expect(Self.bytes(event[4...6]) == Array("a ".utf8))
      #expect(ProbeBench.text(event[7...7]) == "const")
      #expect(isThere ? ProbeBench.text(event[9...]) == "a longer text" : event[8] == 0)
    }
  }
}
