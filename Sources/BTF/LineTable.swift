import Support

/// Which source line each instruction of an object comes from.
public struct LineEntry: Equatable, Sendable {
  /// The ELF section that holds the instruction: `raw_tp/sys_enter`, `.text`.
  public var section: String
  /// Instructions of 8 bytes from the section's start.
  public var instruction: Int
  public var file: String
  public var line: Int
  public var column: Int
  /// The source line as it stands in the file.
  public var text: String

  public init(section: String, instruction: Int, file: String, line: Int, column: Int, text: String) {
    self.section = section
    self.instruction = instruction
    self.file = file
    self.line = line
    self.column = column
    self.text = text
  }
}

/// The line info of a `.BTF.ext` section: instruction to source line, and back from a line's text.
///
/// Source of the format: the kernel's Documentation/bpf/btf.rst, "The .BTF.ext section".
///
/// ```swift
/// let lines = try LineTable(extBlob: Array(image.contents(section)), types: types)
/// let place = lines.entry(section: "raw_tp/sys_enter", instruction: 12).map { "\($0.file):\($0.line)" }
/// ```
public struct LineTable: Sendable {
  /// The records of one ELF section; one section may have several runs.
  private struct Run {
    let nameOffset: UInt32
    let records: Range<Int>
  }

  /// `struct bpf_line_info`; later formats may append to it.
  private static let minimumRecordSize = 16
  /// Longer source lines are cut.
  private static let maximumTextLength = 1 << 12

  private let bytes: [UInt8]
  private let types: TypeGraph
  private let recordSize: Int
  private let runs: [Run]

  /// - Parameters:
  ///   - extBlob: the contents of `.BTF.ext`.
  ///   - types: the graph of the same object's `.BTF`, which holds the names and the lines' text.
  /// - Throws: `.scriptFailed`, starting with the graph's name, when the blob is malformed. An object without line
  ///   info is fine: its table is empty.
  public init(extBlob: [UInt8], types: TypeGraph) throws(MoontraceError) {
    bytes = extBlob
    self.types = types
    let headerSize = try readHeaderSize(extBlob, name: types.name, format: "BTF.ext")
    guard headerSize >= 24 else {
      throw types.failure("malformed BTF.ext: a header of \(headerSize) bytes; it takes 24")
    }
    let what = "\(types.name): malformed BTF.ext: the line info"
    let section = try sectionRange(extBlob, field: 16, headerSize: headerSize, what: what)
    (recordSize, runs) = try Self.readRuns(extBlob, section, types)
  }

  /// The source line of an instruction: of the last entry at or before it; nil when the section has none there.
  public func entry(section: String, instruction: Int) -> LineEntry? {
    var best: (instruction: Int, run: Run, record: Int)?
    for run in runs where types.text(at: run.nameOffset) == section {
      for record in offsets(in: run) {
        let candidate = self.instruction(at: record)
        if candidate <= instruction, candidate >= best?.instruction ?? 0 { best = (candidate, run, record) }
      }
    }
    return best.map { entry($0.run, at: $0.record) }
  }

  /// The entries whose source line is `text`, white space at the ends aside, in the table's order: a verifier log
  /// quotes lines, not places. Blank text matches nothing.
  public func entries(withText text: String) -> [LineEntry] {
    let wanted = text.trimmed
    if wanted.isEmpty { return [] }
    return runs.flatMap { run in
      offsets(in: run).filter { lineText(at: $0).trimmed.elementsEqual(wanted) }.map { entry(run, at: $0) }
    }
  }

  private func offsets(in run: Run) -> StrideTo<Int> {
    stride(from: run.records.lowerBound, to: run.records.upperBound, by: recordSize)
  }

  private func instruction(at record: Int) -> Int {
    Int(bytes.littleEndianWord(at: record)) / 8
  }

  private func lineText(at record: Int) -> String {
    types.text(at: bytes.littleEndianWord(at: record + 8), limit: Self.maximumTextLength)
  }

  private func entry(_ run: Run, at record: Int) -> LineEntry {
    let place = bytes.littleEndianWord(at: record + 12)
    return LineEntry(
      section: types.text(at: run.nameOffset), instruction: instruction(at: record),
      file: types.text(at: bytes.littleEndianWord(at: record + 4), limit: Self.maximumTextLength),
      line: Int(place >> 10), column: Int(place & 0x3ff), text: lineText(at: record))
  }

  private static func readRuns(
    _ bytes: [UInt8], _ section: Range<Int>, _ types: TypeGraph
  ) throws(MoontraceError) -> (recordSize: Int, [Run]) {
    if section.isEmpty { return (minimumRecordSize, []) }
    guard section.count >= 4 else { throw types.failure("malformed BTF.ext: line info of \(section.count) bytes") }
    let recordSize = Int(bytes.littleEndianWord(at: section.lowerBound))
    guard recordSize >= minimumRecordSize, recordSize % 4 == 0 else {
      throw types.failure("malformed BTF.ext: line info records of \(recordSize) bytes")
    }
    var runs: [Run] = []
    var rest = section.lowerBound + 4..<section.upperBound
    while !rest.isEmpty {
      let run = try readRun(bytes, rest, recordSize: recordSize, types)
      runs.append(run)
      rest = run.records.upperBound..<rest.upperBound
    }
    return (recordSize, runs)
  }

  /// Reads one `struct btf_ext_info_sec`.
  private static func readRun(
    _ bytes: [UInt8], _ rest: Range<Int>, recordSize: Int, _ types: TypeGraph
  ) throws(MoontraceError) -> Run {
    guard rest.count >= 8 else { throw types.failure("malformed BTF.ext: the line info is cut off") }
    let nameOffset = bytes.littleEndianWord(at: rest.lowerBound)
    guard Int(nameOffset) < types.endOfStrings else {
      throw types.failure("malformed BTF.ext: a section name lies outside the string section of .BTF")
    }
    let (count, start) = (Int(bytes.littleEndianWord(at: rest.lowerBound + 4)), rest.lowerBound + 8)
    guard count <= (rest.upperBound - start) / recordSize else {
      throw types.failure(
        "malformed BTF.ext: line info of section '\(types.text(at: nameOffset))' is cut off: it has \(count) records")
    }
    return Run(nameOffset: nameOffset, records: start..<start + count * recordSize)
  }
}

extension String {
  /// Without the white space at both ends.
  fileprivate var trimmed: Substring.UTF8View {
    let isBlank: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0d).contains($0) }
    guard let first = utf8.firstIndex(where: { !isBlank($0) }), let last = utf8.lastIndex(where: { !isBlank($0) })
    else { return utf8[utf8.endIndex...] }
    return utf8[first...last]
  }
}
