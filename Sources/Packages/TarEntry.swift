import Support

/// A file in an archive.
public struct TarEntry: Equatable, Sendable {
  /// Relative, without `.` and `..`.
  public var path: String
  public var bytes: [UInt8]

  public init(path: String, bytes: [UInt8]) {
    self.path = path
    self.bytes = bytes
  }
}

extension [TarEntry] {
  /// Reads a tar archive (POSIX.1-2017, pax: ustar with extended headers; GNU's long names too).
  ///
  /// Only regular files come out; directories are passed over. Refused are links, devices and the like, paths that are
  /// absolute or leave the archive, two files of one path, headers whose checksum or size is wrong, and an archive
  /// without its end.
  ///
  /// - Parameter name: what errors call the archive.
  /// - Throws: `.scriptFailed` with the entry that is to blame.
  public init(tar bytes: [UInt8], name: String) throws(MoontraceError) {
    var reader = TarReader(bytes: bytes, name: name)
    self = try reader.read()
  }

  /// The archive of these files, in their order; the same files give the same bytes.
  ///
  /// - Throws: `.scriptFailed` when a path is absolute, leaves the archive or stands there twice.
  public func tar() throws(MoontraceError) -> [UInt8] {
    var writer = TarWriter()
    for entry in self { try writer.write(entry) }
    return writer.finish()
  }
}

/// The blocks of an archive and what stands where in its headers.
enum TarLayout {
  static let block = 512
  static let path = 0..<100
  static let mode = 100..<108
  static let owner = 108..<116
  static let group = 116..<124
  static let size = 124..<136
  static let time = 136..<148
  static let checksum = 148..<156
  static let type = 156
  static let magic = 257..<263
  static let version = 263..<265
  static let prefix = 345..<500

  enum EntryType {
    static let file = UInt8(ascii: "0")
    /// A file too, before POSIX.
    static let oldFile: UInt8 = 0
    static let directory = UInt8(ascii: "5")
    /// Records for the entry that follows.
    static let extended = UInt8(ascii: "x")
    /// Records for all that follow.
    static let global = UInt8(ascii: "g")
    /// GNU: the path of the entry that follows.
    static let longPath = UInt8(ascii: "L")
  }

  /// The sum of a header's bytes, those of the sum itself taken as blanks.
  static func checksum(of header: ArraySlice<UInt8>) -> Int {
    let field = header[(header.startIndex + checksum.lowerBound)...].prefix(checksum.count)
    return header.reduce(0) { $0 + Int($1) } - field.reduce(0) { $0 + Int($1) } + checksum.count * 0x20
  }

  /// Bytes up to the next block.
  static func padding(_ size: Int) -> Int { (block - size % block) % block }

  /// The path as archives have it; nil when it leads elsewhere, or nowhere.
  static func relativePath(_ path: String) -> String? {
    // By bytes: a slash with a combining mark behind it is no slash to String, but it is one to the kernel.
    let slash = UInt8(ascii: "/")
    guard path.utf8.first != slash, !path.utf8.contains(0) else { return nil }
    let parts = path.utf8.split(separator: slash).filter { !$0.elementsEqual(".".utf8) }
    guard !parts.isEmpty, !parts.contains(where: { $0.elementsEqual("..".utf8) }) else { return nil }
    return String(decoding: Array(parts.joined(separator: [slash])), as: UTF8.self)
  }
}
