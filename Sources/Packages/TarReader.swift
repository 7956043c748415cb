import Support

/// Reads an archive that lies in memory, an entry at a time.
struct TarReader {
  /// Bytes of names and records before an entry.
  private static let maximumExtension = 64 << 10

  private let bytes: [UInt8]
  private let name: String
  private var offset = 0
  private var entries: [TarEntry] = []
  private var paths: Set<String> = []
  /// What extended headers say of the entry that follows.
  private var nextPath: [UInt8]?
  private var nextSize: Int?

  init(bytes: [UInt8], name: String) {
    self.bytes = bytes
    self.name = name
  }

  /// Whether the bytes begin with a header of ustar or GNU tar.
  static func isTar(_ bytes: [UInt8]) -> Bool {
    bytes.count >= TarLayout.block && bytes[TarLayout.magic].starts(with: "ustar".utf8)
  }

  mutating func read() throws(MoontraceError) -> [TarEntry] {
    while let header = try readHeader() {
      switch header.type {
      case TarLayout.EntryType.extended: try readRecords(try contents(header, atMost: Self.maximumExtension))
      case TarLayout.EntryType.longPath:
        nextPath = Array(try contents(header, atMost: Self.maximumExtension).prefix { $0 != 0 })
      case TarLayout.EntryType.global: _ = try contents(header)  // comments, such as git's commit
      case TarLayout.EntryType.file, TarLayout.EntryType.oldFile, TarLayout.EntryType.directory:
        try readEntry(header)
      default: throw failure("\(header.typeName); only files are read", header)
      }
    }
    return entries
  }

  /// The next header; nil at the archive's end, a block of zeros.
  private mutating func readHeader() throws(MoontraceError) -> TarHeader? {
    guard bytes.count - offset >= TarLayout.block else {
      throw failure("the archive ends without its end mark: it was cut off")
    }
    let block = bytes[offset..<offset + TarLayout.block]
    if block.allSatisfy({ $0 == 0 }) { return nil }
    do throws(MalformedBytes) {
      let header = try TarHeader(block)
      offset += TarLayout.block
      return header
    } catch {
      throw failure(error.message)
    }
  }

  private mutating func readEntry(_ header: TarHeader) throws(MoontraceError) {
    var header = header
    header.path = nextPath ?? header.path
    header.size = nextSize ?? header.size
    (nextPath, nextSize) = (nil, nil)
    let contents = try contents(header)
    guard header.type != TarLayout.EntryType.directory else { return }
    guard let text = String(validating: header.path, as: UTF8.self), let path = TarLayout.relativePath(text) else {
      throw failure("a path that is absolute, leads out of the archive or is none", header)
    }
    guard paths.insert(path).inserted else { throw failure("a second file of this path", header) }
    entries.append(TarEntry(path: path, bytes: Array(contents)))
  }

  /// What follows a header, with the blanks that fill its last block.
  private mutating func contents(_ header: TarHeader, atMost limit: Int = .max) throws(MoontraceError)
    -> ArraySlice<UInt8>
  {
    guard header.size <= bytes.count - offset else {
      throw failure("\(header.size) bytes by its header, the archive has \(bytes.count - offset) more", header)
    }
    guard header.size <= limit else { throw failure("\(header.size) bytes of names and records", header) }
    defer { offset = min(bytes.count, offset + header.size + TarLayout.padding(header.size)) }
    return bytes[offset..<offset + header.size]
  }

  /// Records of an extended header, `LENGTH KEY=VALUE\n` each, the length that of all of it.
  private mutating func readRecords(_ records: ArraySlice<UInt8>) throws(MoontraceError) {
    var rest = records
    while !rest.isEmpty {
      let digits = rest.prefix { (0x30...0x39).contains($0) }
      guard let length = Int(String(decoding: digits, as: UTF8.self)), length > digits.count + 1, length <= rest.count,
        rest[digits.endIndex] == 0x20, rest[rest.startIndex + length - 1] == 0x0a
      else { throw failure("an extended header that can't be read") }
      try use(record: rest[(digits.endIndex + 1)..<(rest.startIndex + length - 1)])
      rest = rest[(rest.startIndex + length)...]
    }
  }

  private mutating func use(record: ArraySlice<UInt8>) throws(MoontraceError) {
    guard let sign = record.firstIndex(of: UInt8(ascii: "=")) else {
      throw failure("an extended header with a record that has no '='")
    }
    let value = record[(sign + 1)...]
    switch String(decoding: record[..<sign], as: UTF8.self) {
    case "path": nextPath = Array(value)
    case "size":
      guard let size = Int(String(decoding: value, as: UTF8.self)), size >= 0 else {
        throw failure("an extended header whose size is no number")
      }
      nextSize = size
    case let key where key.hasPrefix("GNU.sparse"): throw failure("a sparse file; only whole files are read")
    default: break
    }
  }

  private func failure(_ message: String, _ header: TarHeader? = nil) -> MoontraceError {
    let place = header.map { "entry '\(String(decoding: $0.path, as: UTF8.self))'" } ?? "byte \(offset)"
    return MoontraceError(.scriptFailed, "tar: \(place): \(message)", location: name)
  }
}
