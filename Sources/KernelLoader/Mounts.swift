import Support

/// The file systems that this process sees, from /proc/self/mounts.
struct Mounts {
  /// In the order of mounting.
  let entries: [(type: String, path: String)]

  /// What is mounted now; nothing when /proc can't be read.
  static func now() -> Mounts {
    let bytes = (try? readFile("/proc/self/mounts")) ?? []
    return Mounts(text: String(decoding: bytes, as: UTF8.self))
  }

  /// Lines of `device path type options 0 0` (proc(5)).
  init(text: String) {
    entries = text.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: " ")
      return fields.count >= 3 ? (String(fields[2]), String(fields[1])) : nil
    }
  }

  func contains(_ type: String, at path: String) -> Bool {
    entries.contains { $0.type == type && $0.path == path }
  }

  /// Where a file system of that type was mounted first; nil when none is.
  func first(_ type: String) -> String? {
    entries.first { $0.type == type }?.path
  }
}
