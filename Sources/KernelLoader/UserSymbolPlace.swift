import Glibc
import Support
import Synchronization

/// Where functions of an ELF file lie in the file, as uprobes need it.
struct UserSymbolPlace: Sendable {
  private let path: String
  /// Bytes from the file's start to the function's first instruction, by name; resolvers of indirect ones included.
  private let offsets: [String: UInt64]
  /// Bytes of each function whose symbol tells.
  private let sizes: [String: UInt64]
  /// The names of its functions, one for each place: aliases would run a probe several times a call. Resolvers of
  /// indirect functions are not among them.
  let distinctFunctions: [String]

  /// Reads the file, or takes what is known when it was the last one read and has not changed since.
  init(path: String) throws(MoontraceError) {
    let state = FileState(path)
    if let state, let last = Self.last.withLock({ $0 }), last.state == state {
      self = last.place
      return
    }
    let image = try ELFImage(ofProbed: path)
    var offsets: [String: UInt64] = [:]
    var sizes: [String: UInt64] = [:]
    var names: [UInt64: String] = [:]
    for function in Self.functions(of: image) {
      guard let offset = image.fileOffset(ofAddress: function.value), !function.name.isEmpty else { continue }
      if offsets[function.name] == nil { (offsets[function.name], sizes[function.name]) = (offset, function.size) }
      if function.type == 2 { names[offset] = Self.plainer(function.name, names[offset]) }
    }
    self.path = path
    self.offsets = offsets
    self.sizes = sizes.filter { $0.value > 0 }
    distinctFunctions = names.values.sorted()
    if let state { Self.last.withLock { [self] in $0 = (state, self) } }
  }

  /// Bytes from the file's start to the function's first instruction, or to the byte `distance` behind it.
  ///
  /// - Throws: `.usage` with a suggestion when the file has no such function, and when the byte is not in it: a
  ///   breakpoint would be written into whatever stands there.
  func fileOffset(of name: String, plus distance: UInt64 = 0) throws(MoontraceError) -> UInt64 {
    if let size = sizes[name], distance >= size {
      throw MoontraceError(
        .usage, "\(name)+\(distance) is not in \(path)'s function '\(name)', which has \(size) bytes")
    }
    if let offset = offsets[name] { return offset &+ distance }
    if offsets.isEmpty {
      throw MoontraceError(
        .usage, "\(path) has no symbols (it is stripped), so '\(name)' can't be found",
        remedy: "give an offset: \(path):0xOFFSET")
    }
    let hint = suggestionHint(for: name, in: offsets.keys.sorted())
    throw MoontraceError(.usage, "\(path) has no function '\(name)'\(hint)")
  }

  /// Defined functions (type 2) and the resolvers of indirect ones (type 10), of both symbol tables.
  private static func functions(of image: ELFImage) -> [ELFImage.Symbol] {
    (image.symbols() + image.symbols(ofType: 11)).filter { ($0.type == 2 || $0.type == 10) && $0.section != 0 }
  }

  /// The shorter name is the plain one: `read`, not `__libc_read`.
  private static func plainer(_ name: String, _ other: String?) -> String {
    guard let other else { return name }
    return (other.utf8.count, other) <= (name.utf8.count, name) ? other : name
  }

  /// What tells that a file is still the same.
  private struct FileState: Equatable {
    let path: String
    let inode: UInt
    let size: Int
    let seconds: Int
    let nanoseconds: Int

    init?(_ path: String) {
      var information = stat()
      guard stat(path, &information) == 0 else { return nil }
      self.path = path
      inode = UInt(information.st_ino)
      size = Int(information.st_size)
      (seconds, nanoseconds) = (information.st_mtim.tv_sec, information.st_mtim.tv_nsec)
    }
  }

  /// A glob attaches to many functions of one file.
  private static let last = Mutex<(state: FileState, place: UserSymbolPlace)?>(nil)
}

extension ELFImage {
  /// Reads an executable or library that a SPEC names; what is wrong with it is the SPEC's fault, `.usage`.
  init(ofProbed path: String) throws(MoontraceError) {
    let bytes: [UInt8]
    do throws(SystemError) {
      bytes = try readFile(path)
    } catch {
      throw MoontraceError(.usage, "can't read \(path): \(error)")
    }
    do throws(MoontraceError) {
      self = try ELFImage(bytes: bytes, name: path)
    } catch {
      throw MoontraceError(.usage, error.message)
    }
  }
}
