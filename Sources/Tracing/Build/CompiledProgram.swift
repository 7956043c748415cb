import Glibc
import Support

/// What compiling a program in C gave, and what it was made of.
struct CompiledProgram: Equatable {
  /// Stripped: BTF, but no DWARF.
  var object: [UInt8]
  /// What clang said, coloured.
  var diagnostics: [UInt8] = []
  /// As its source says them.
  var events: [EventType] = []
  /// Maps with records of which only sizes are known.
  var sizes: [String: [Int]] = [:]
  /// The program and every file that it includes, with what stood in it.
  var files: [SourceFile]
  /// Paths where no files were: one there would be included in place of those that were.
  var absent: [String] = []

  struct SourceFile: Equatable {
    var path: String
    var text: [UInt8]
  }

  // MARK: In the cache

  /// One file holds all, so that it is there whole or not at all: pieces, each after its length; the first is the others'
  /// fingerprint.
  func bytes(key: String) -> [UInt8] {
    var bytes: [UInt8] = []
    func add(_ piece: some Collection<UInt8>) {
      withUnsafeBytes(of: UInt64(piece.count).littleEndian) { bytes.append(contentsOf: $0) }
      bytes.append(contentsOf: piece)
    }
    add(key.utf8)
    add(object)
    add(diagnostics)
    add(events.map { "\($0.map)\t\($0.type)\t\($0.sizeType ?? "")\n" }.joined().utf8)
    add(sizes.map { "\($0)\t\($1.map(String.init).joined(separator: "\t"))\n" }.joined().utf8)
    add(absent.joined(separator: "\0").utf8)
    for file in files {
      add(file.path.utf8)
      add(file.text)
    }
    let pieces = bytes
    bytes = []
    add(fingerprint(pieces).utf8)
    return bytes + pieces
  }

  /// Reads what `bytes` wrote; nil when it is of another key or damaged.
  init?(bytes: [UInt8], key: String) {
    var cursor = ByteCursor(bytes)
    func piece() -> ArraySlice<UInt8>? {
      guard let count = try? cursor.read(UInt64.self), let count = Int(exactly: count) else { return nil }
      return try? cursor.read(count: count)
    }
    guard let check = piece(), fingerprint(bytes.suffix(cursor.remaining)).utf8.elementsEqual(check),
      piece()?.elementsEqual(key.utf8) == true, let object = piece(), let diagnostics = piece(),
      let events = piece(), let sizes = piece(), let absent = piece()
    else { return nil }
    self.init(object: Array(object), diagnostics: Array(diagnostics), files: [])
    self.events = Self.rows(events).map { EventType(map: $0[0], type: $0[1], sizeType: $0.count > 2 ? $0[2] : nil) }
    self.sizes = Dictionary(
      Self.rows(sizes).map { ($0[0], $0.dropFirst().compactMap { Int($0) }) }, uniquingKeysWith: { $1 })
    self.absent = absent.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    while cursor.remaining > 0 {
      guard let path = piece(), let text = piece() else { return nil }
      files.append(SourceFile(path: String(decoding: path, as: UTF8.self), text: Array(text)))
    }
  }

  init(object: [UInt8], diagnostics: [UInt8] = [], files: [SourceFile]) {
    (self.object, self.diagnostics, self.files) = (object, diagnostics, files)
  }

  private static func rows(_ table: ArraySlice<UInt8>) -> [[String]] {
    String(decoding: table, as: UTF8.self).split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
      .filter { $0.count >= 2 }
  }

  /// Whether all files still say what they said, and none has come before them.
  var isCurrent: Bool {
    absent.allSatisfy { access($0, F_OK) != 0 } && files.allSatisfy { (try? readFile($0.path)) == $0.text }
  }
}

extension CompiledProgram {
  /// The files that are the program's own: not the system's, the compiler's or the kernel's.
  var ownFiles: [SourceFile] {
    files.filter { file in
      !file.path.hasPrefix("/usr/") && !file.path.contains("/lib/clang/") && !file.path.hasSuffix("vmlinux.h")
    }
  }

  /// The structs that a header defines, as C names them.
  func types(in header: String) -> [String] {
    guard let file = files.first(where: { isSameFile($0.path, header) }) else { return [] }
    return CDeclaration.all(in: file.text).flatMap(\.records)
  }
}
