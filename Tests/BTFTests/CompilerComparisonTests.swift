import BTF
import KernelTestSupport
import RandomTestSupport
import Support
import Testing

/// Random structs, compiled by clang: sizes, offsets and values that layouts give are the compiler's own.
@Suite(.requires(.clang))
struct CompilerComparisonTests {
  private struct Case {
    var record: GeneratedRecord
    var value: TestValue
  }

  @Test func randomStructsReadAsTheCompilerWroteThem() throws {
    let seed = SeededGenerator.seed(for: "randomStructsReadAsTheCompilerWroteThem")
    var generator = StructGenerator(seed: seed)
    var values = ValueGenerator(random: SeededGenerator(seed: seed ^ 1))
    var (cases, variables, numbers): ([Case], [String], [String]) = ([], [], [])
    for index in 0..<500 {
      let record = generator.nextStruct()
      let (c, value) = values.initialiser(for: record)
      cases.append(Case(record: record, value: value))
      variables.append("\(record.spelling) v\(index) __attribute__((section(\".data\"))) = \(c);")
      numbers += Self.numbers(of: record)
    }
    let source = """
      \(generator.declarations.joined(separator: "\n"))
      \(variables.joined(separator: "\n"))
      const unsigned long numbers[] = { \(numbers.joined(separator: ", ")) };
      """
    try compare(compileForBPF(source), cases, seed)
  }

  /// C expressions for what the compiler knows: the size, then the offset of each member that has one.
  private static func numbers(of record: GeneratedRecord) -> [String] {
    let offsets = paths(record).map { "__builtin_offsetof(\(record.spelling), \($0))" }
    return ["sizeof(\(record.spelling))"] + offsets
  }

  /// Members as C names them, through anonymous ones and into inner structs; bit-fields have no offset in C.
  private static func paths(_ record: GeneratedRecord, prefix: String = "") -> [String] {
    record.members.flatMap { member -> [String] in
      if member.bitWidth != nil { return [] }
      let path = prefix + member.name
      guard case .record(let inner) = member.type.plain else { return [path] }
      return member.name.isEmpty ? paths(inner, prefix: prefix) : [path] + paths(inner, prefix: "\(path).")
    }
  }

  private func compare(_ image: ELFImage, _ cases: [Case], _ seed: UInt64) throws {
    let graph = try TypeGraph(blob: image.bytes(of: ".BTF"), name: "test.o")
    let data = ReferenceDecoder(bytes: image.bytes(of: ".data"))
    var numbers = ByteCursor(image.bytes(of: ".rodata"))
    let symbols = Dictionary(image.symbols().map { ($0.name, Int($0.value)) }, uniquingKeysWith: { first, _ in first })
    for (index, item) in cases.enumerated() {
      let context: Comment = "seed \(seed), v\(index): \(item.record.body)"
      let id = try #require(graph.find(item.record.tag, .struct), context)
      guard case .record(let layout) = try graph.layout(of: id) else {
        throw Machine.Failure(command: "\(context)", output: "")
      }
      #expect(layout.name == item.record.tag, context)
      #expect(layout.size == Int(try numbers.read(UInt64.self)), context)
      for path in Self.paths(item.record) {
        #expect(offset(of: path, in: layout) == Int(try numbers.read(UInt64.self)), "\(path), \(context)")
      }
      let read = data.decode(.record(layout), at: try #require(symbols["v\(index)"]))
      let agrees = item.value.agrees(with: read)
      #expect(agrees, context)
    }
    #expect(numbers.remaining == 0)
  }

  private func offset(of path: String, in record: RecordLayout) -> Int? {
    let parts = path.split(separator: ".", maxSplits: 1)
    guard let member = record.members.first(where: { $0.name == parts[0] }) else { return nil }
    guard parts.count > 1 else { return member.offset }
    guard case .record(let inner) = member.value else { return nil }
    return offset(of: String(parts[1]), in: inner).map { member.offset + $0 }
  }
}
