import Support

/// The executable mappings of a process, from /proc/PID/maps.
struct MemoryMappings {
  struct Mapping: Equatable {
    let start: UInt64
    let end: UInt64
    /// Where in the file `start` lies.
    let fileOffset: UInt64
    /// Device and inode: the same file under any name.
    let identity: String
    /// Empty for memory without a file.
    let path: String
  }

  private let mappings: [Mapping]

  /// None when the process is gone.
  init(process: Int32) {
    let bytes = (try? readFile("/proc/\(process)/maps")) ?? []
    mappings = Self.parse(String(decoding: bytes, as: UTF8.self))
  }

  var isEmpty: Bool { mappings.isEmpty }

  /// The executable mapping that an address lies in.
  func mapping(at address: UInt64) -> Mapping? {
    mappings.first { $0.start <= address && address < $0.end }
  }

  /// `start-end perms offset dev inode path`, one a line.
  static func parse(_ text: String) -> [Mapping] {
    text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: true)
      guard fields.count >= 5, fields[1].contains("x") else { return nil }
      let range = fields[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
      guard range.count == 2, let offset = UInt64(fields[2], radix: 16) else { return nil }
      let path = fields.count > 5 ? String(fields[5].drop { $0 == " " }) : ""
      return Mapping(
        start: range[0], end: range[1], fileOffset: offset, identity: "\(fields[3]):\(fields[4])", path: path)
    }
  }
}
