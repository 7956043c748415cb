import Support

/// Writes an archive of files: ustar, with an extended header (pax) before a path that is too long for it.
struct TarWriter {
  private var bytes: [UInt8] = []
  private var paths: Set<String> = []

  mutating func write(_ entry: TarEntry) throws(MoontraceError) {
    guard let path = TarLayout.relativePath(entry.path) else {
      throw MoontraceError(.scriptFailed, "tar: '\(entry.path)' is absolute, leads out of the archive or is no path")
    }
    guard paths.insert(path).inserted else {
      throw MoontraceError(.scriptFailed, "tar: a second file of the path '\(path)'")
    }
    let name = Array(path.utf8)
    if name.count > TarLayout.path.count {
      append(name: Array("path".utf8), TarLayout.EntryType.extended, Self.record("path", name))
    }
    append(name: Array(name.suffix(TarLayout.path.count)), TarLayout.EntryType.file, entry.bytes)
  }

  /// The archive, its end marked by two blocks of zeros.
  consuming func finish() -> [UInt8] {
    bytes + [UInt8](repeating: 0, count: 2 * TarLayout.block)
  }

  private mutating func append(name: [UInt8], _ type: UInt8, _ contents: [UInt8]) {
    var header = [UInt8](repeating: 0, count: TarLayout.block)
    func set(_ field: Range<Int>, _ text: some Sequence<UInt8>) {
      for (index, byte) in zip(field, text) { header[index] = byte }
    }
    set(TarLayout.path, name)
    // Nobody's, of no time: the same files make the same archive.
    for field in [TarLayout.owner, TarLayout.group, TarLayout.time] { set(field, Self.octal(0, in: field)) }
    set(TarLayout.mode, Self.octal(0o644, in: TarLayout.mode))
    set(TarLayout.size, Self.octal(contents.count, in: TarLayout.size))
    header[TarLayout.type] = type
    set(TarLayout.magic, Array("ustar".utf8) + [0])
    set(TarLayout.version, "00".utf8)
    set(TarLayout.checksum, Self.octal(TarLayout.checksum(of: header[...]), in: TarLayout.checksum))
    bytes += header + contents
    bytes.append(contentsOf: repeatElement(0, count: TarLayout.padding(contents.count)))
  }

  /// Digits that fill a field but for its last byte, a NUL.
  private static func octal(_ number: Int, in field: Range<Int>) -> [UInt8] {
    let digits = String(number, radix: 8)
    return Array(String(repeating: "0", count: max(0, field.count - 1 - digits.utf8.count)).utf8) + Array(digits.utf8)
  }

  /// A record of an extended header, whose length counts its own digits.
  private static func record(_ key: String, _ value: [UInt8]) -> [UInt8] {
    let rest = Array(" \(key)=".utf8) + value + [0x0a]
    var length = rest.count
    while length != rest.count + String(length).utf8.count { length = rest.count + String(length).utf8.count }
    return Array(String(length).utf8) + rest
  }
}
