import Glibc
import KernelLoader
import Support

/// Compiles C text to BPF objects with clang and keeps them by content, so that a second run needs no compiler.
struct ClangCompiler {
  private let cache: Cache

  init() throws(MoontraceError) {
    cache = try Cache()
  }

  /// The object of `source`. `name` and `firstLine` say where the text stands, for clang's messages and the
  /// verifier's line information.
  ///
  /// Throws clang's own diagnostics, located in the script, or `.unsupported` when there is no clang for BPF.
  func compile(_ source: String, name: String, firstLine: Int) throws(MoontraceError) -> [UInt8] {
    let headers = try prepareHeaders()
    let text = Array("#line \(firstLine) \"\(name)\"\n\(source)\n".utf8)
    let key = Array("\(headers)\n\(Self.flags)\n".utf8) + text
    let entry = "objects/\(fingerprint(key))"
    if let kept = try? readFile(cache.path("\(entry).c")), kept == key,
      let object = try? readFile(cache.path("\(entry).o"))
    {
      return object
    }
    let object = try run(Self.findClang(), text, headers: headers, name: name)
    try cache.makeDirectory("objects")
    try cache.write("\(entry).o", object)
    try cache.write("\(entry).c", key)
    return object
  }

  private static let flags = [
    "-target", "bpfel", "-mcpu=v3", "-g", "-O2", "-Wall", "-Wno-unused-function", "-Wno-unknown-attributes",
    "-fno-color-diagnostics", "-D__TARGET_ARCH_\(bpfArchitecture)",
  ]

  #if arch(x86_64)
    private static let bpfArchitecture = "x86"
  #elseif arch(arm64)
    private static let bpfArchitecture = "arm64"
  #endif

  /// The directory with `vmlinux.h` of the running kernel and libbpf's headers, made when it is not there.
  private func prepareHeaders() throws(MoontraceError) -> String {
    let name = "headers/\(kernelIdentity())"
    let directory = cache.path(name)
    guard access("\(directory)/complete", F_OK) != 0 else { return directory }
    for part in ["bpf", "linux"] { try cache.makeDirectory("\(name)/\(part)") }
    for file in Library.files(below: "include/") {
      try cache.write("\(name)/\(file.path.dropFirst("include/".count))", file.bytes)
    }
    try cache.write("\(name)/vmlinux.h", try KernelTypesHeader.make())
    try cache.write("\(name)/complete", [])
    return directory
  }

  /// A name for the kernel's types: its release, build and the size of its BTF; and for the headers carried inside.
  private func kernelIdentity() -> String {
    var system = utsname()
    uname(&system)
    var types = stat()
    stat("/sys/kernel/btf/vmlinux", &types)
    let headers = Library.files(below: "include/").map { "\($0.path) \($0.bytes.count)" }.joined()
    let build = withUnsafeBytes(of: system.version) { Array($0) }
    let release = withUnsafeBytes(of: system.release) { Array($0) }
    return fingerprint(release + build + Array("\(types.st_size) \(headers)".utf8))
  }

  // MARK: Running clang

  private func run(
    _ clang: String, _ text: [UInt8], headers: String, name: String
  ) throws(MoontraceError) -> [UInt8] {
    try cache.makeDirectory("objects")
    let base = cache.path("objects/building-\(getpid())")
    let (sourcePath, objectPath, logPath) = ("\(base).c", "\(base).o", "\(base).log")
    defer { for path in [sourcePath, objectPath, logPath] { unlink(path) } }
    do throws(SystemError) {
      try writeFile(sourcePath, text)
      let log = OwnedDescriptor(
        try check("create \(logPath)") { open(logPath, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644) })
      let arguments = Self.flags + ["-I", headers, "-c", sourcePath, "-o", objectPath]
      let child = try Subprocess(clang, arguments, descriptors: [1: log.number, 2: log.number])
      let status = try child.wait()
      if status == 0 { return try readFile(objectPath) }
    } catch {
      throw MoontraceError(.scriptFailed, "\(clang): \(error)")
    }
    let said = (try? readFile(logPath)) ?? []
    throw Self.diagnosis(String(decoding: said, as: UTF8.self), name: name)
  }

  /// clang's first error, with everything it said as the detail.
  private static func diagnosis(_ log: String, name: String) -> MoontraceError {
    let lines = log.split(separator: "\n")
    guard let first = lines.first(where: { $0.contains("error: ") }),
      let range = first.firstRange(of: ": error: ") ?? first.firstRange(of: "error: ")
    else {
      return MoontraceError(.scriptFailed, "\(name): clang failed and said nothing of why", detail: log)
    }
    let parts = first[..<range.lowerBound].split(separator: ":")
    let location = parts.count >= 2 ? "\(parts[0]):\(parts[1])" : name
    return MoontraceError(
      .scriptFailed, "C error: \(first[range.upperBound...])", location: location, detail: log)
  }

  // MARK: Finding clang

  /// `$MOONTRACE_CLANG`, else the first `clang` on PATH that knows the bpf target.
  static func findClang() throws(MoontraceError) -> String {
    if let chosen = environment("MOONTRACE_CLANG") {
      guard hasBPFTarget(chosen) else {
        throw MoontraceError(
          .unsupported, "MOONTRACE_CLANG=\(chosen) is no clang with the bpf target", remedy: "name one that has it")
      }
      return chosen
    }
    for directory in (environment("PATH") ?? "/usr/bin:/bin").split(separator: ":") {
      let path = "\(directory)/clang"
      if access(path, X_OK) == 0, hasBPFTarget(path) { return path }
    }
    throw MoontraceError(
      .unsupported, "compiling C needs clang with the bpf target, and none is on PATH",
      remedy: "apt install clang, or set MOONTRACE_CLANG")
  }

  private static func hasBPFTarget(_ clang: String) -> Bool {
    do throws(SystemError) {
      var pipe = try Pipe()
      let child = try Subprocess(clang, ["-print-targets"], descriptors: [1: pipe.writing, 2: pipe.writing])
      pipe.closeWriting()
      let targets = try readAll(pipe.reading, name: "clang -print-targets")
      guard try child.wait() == 0 else { return false }
      return String(decoding: targets, as: UTF8.self).contains(" bpfel ")
    } catch {
      return false
    }
  }
}
