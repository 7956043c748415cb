import Glibc
import KernelLoader
import Support

/// A directory of the cache with `vmlinux.h` and libbpf's headers, which programs in C include.
struct CHeaders {
  let directory: String
  /// Why there is no `vmlinux.h` in it.
  private let missing: MoontraceError?

  /// On a kernel without BTF there is no `vmlinux.h`, which not all programs include.
  ///
  /// - Parameters:
  ///   - typesPath: a `vmlinux.h`, or BTF (of a kernel, a raw file or an ELF file) to make it from; the running kernel's
  ///     when nil, or those that `BTF_FILE_PATH` names for it.
  /// - Throws: `.usage` when the file can't be read.
  init(_ cache: Cache, typesPath: String? = nil) throws(MoontraceError) {
    let path = typesPath ?? KernelTypes.foreignPath
    let types = try path.map { path throws(MoontraceError) in try Self.readTypes(path) }
    let name = "headers/\(types.map { fingerprint($0 + Self.ownIdentity) } ?? Self.kernelIdentity())"
    directory = cache.path(name)
    if Self.isComplete(directory) {
      missing = nil
    } else {
      missing = try Self.fill(cache, name) { () throws(MoontraceError) in
        try Self.header(types, path, isForeign: typesPath == nil)
      }
    }
  }

  /// Writes all headers; why there is no `vmlinux.h` among them.
  private static func fill(
    _ cache: Cache, _ name: String, _ header: () throws(MoontraceError) -> [UInt8]
  ) throws(MoontraceError) -> MoontraceError? {
    for part in ["bpf", "linux"] { try cache.makeDirectory("\(name)/\(part)") }
    for file in Library.files(below: "include/") {
      let path = String(file.path.dropFirst("include/".count))
      try cache.write("\(name)/\(path)", file.bytes + Array((additions[path] ?? "").utf8))
    }
    do throws(MoontraceError) {
      let types = try header()
      try cache.write("\(name)/vmlinux.h", types)
      try cache.write("\(name)/complete", Array("\(types.count)".utf8))
      return nil
    } catch {
      guard error.code == .unsupported else { throw error }
      return error
    }
  }

  /// What is behind an error of clang's: that it found no `vmlinux.h`; nil when it is another one.
  func obstacle(of failure: MoontraceError) -> MoontraceError? {
    failure.message.contains("'vmlinux.h' file not found") ? missing : nil
  }

  /// Whether all is there: the file written last says how large `vmlinux.h` is.
  private static func isComplete(_ directory: String) -> Bool {
    var about = stat()
    guard stat("\(directory)/vmlinux.h", &about) == 0, let size = try? readFile("\(directory)/complete") else {
      return false
    }
    return size == Array("\(about.st_size)".utf8)
  }

  /// What programs use of newer headers of libbpf (1.2 and 1.3) than those carried inside.
  private static let additions = [
    "bpf/bpf_tracing.h": """

    #ifndef BPF_UPROBE
    #define BPF_UPROBE(name, args...) BPF_KPROBE(name, ##args)
    #define BPF_URETPROBE(name, args...) BPF_KRETPROBE(name, ##args)
    #endif

    """,
    "bpf/bpf_helpers.h": """

    #ifndef bpf_ksym_exists
    #define bpf_ksym_exists(symbol) (!!(symbol))
    #endif

    """,
  ]

  /// To be changed when the same types become another header.
  private static let version = "2"

  private static func readTypes(_ path: String) throws(MoontraceError) -> [UInt8] {
    do throws(SystemError) {
      return try readFile(path)
    } catch {
      throw MoontraceError(
        .usage, "can't read '\(path)': \(errnoText(error.errno))",
        remedy: "name a vmlinux.h, or a file with the BTF to make one from")
    }
  }

  private static func header(
    _ types: [UInt8]?, _ path: String?, isForeign: Bool
  ) throws(MoontraceError) -> [UInt8] {
    guard let types, let path else { return try KernelTypesHeader.make() }
    let isBinary = types.starts(with: [0x9f, 0xeb]) || types.starts(with: [0x7f, 0x45, 0x4c, 0x46])
    return isBinary || isForeign ? try KernelTypesHeader.make(fromBTF: path) : types
  }

  /// A name for the kernel's types: its release, build and the size of its BTF; and for the headers carried inside.
  private static func kernelIdentity() -> String {
    var system = utsname()
    uname(&system)
    var types = stat()
    stat("/sys/kernel/btf/vmlinux", &types)
    let build = withUnsafeBytes(of: system.version) { Array($0) }
    let release = withUnsafeBytes(of: system.release) { Array($0) }
    return fingerprint(release + build + Array("\(types.st_size) ".utf8) + ownIdentity)
  }

  private static var ownIdentity: [UInt8] {
    let files = Library.files(below: "include/").map { "\($0.path) \($0.bytes.count)" }
    return Array((files + additions.values.sorted() + [version]).joined().utf8)
  }
}
