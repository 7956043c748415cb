import Support

/// Compiles C text to BPF objects with clang and keeps them by content, so that a second run needs no compiler.
struct ClangCompiler {
  private let cache: Cache

  init() throws(MoontraceError) {
    cache = try Cache.orTemporary()
  }

  /// Why objects are not kept; nil where they are.
  var cacheRefusal: MoontraceError? { cache.refusal }

  /// The object of `source`. `name` and `firstLine` say where the text stands, for clang's messages and the
  /// verifier's line information.
  ///
  /// Throws clang's own diagnostics, located in the script, or `.unsupported` when there is no clang for BPF.
  func compile(_ source: String, name: String, firstLine: Int) throws(MoontraceError) -> [UInt8] {
    let headers = try CHeaders(cache)
    let text = Array("#line \(firstLine) \"\(name)\"\n\(source)\n".utf8)
    let flags = Self.flags(.host) + ["-fno-color-diagnostics"]
    let key = Array("\(headers.directory)\n\(flags)\n".utf8) + text
    let entry = "objects/\(fingerprint(key))"
    if let kept = try? readFile(cache.path("\(entry).c")), kept == key,
      let object = try? readFile(cache.path("\(entry).o"))
    {
      for part in ["c", "o"] { cache.touch("\(entry).\(part)") }
      return object
    }
    let object: [UInt8]
    do throws(MoontraceError) {
      object = try run(ClangTool.find(cache), text, flags: flags + ["-I", headers.directory], name: name)
    } catch {
      throw headers.obstacle(of: error) ?? error
    }
    try cache.makeDirectory("objects")
    try cache.write("\(entry).o", object)
    try cache.write("\(entry).c", key)
    cache.prune("objects")
    return object
  }

  /// What programs in C are compiled with, always.
  static func flags(_ architecture: TargetArchitecture) -> [String] {
    [
      "-target", "bpfel", "-mcpu=v3", "-g", "-O2", "-Wall", "-Wno-unused-function", "-Wno-unknown-attributes",
      // What BPF_CORE_READ makes of a const member.
      "-Wno-unknown-warning-option", "-Wno-default-const-init-var-unsafe",
      "-D__TARGET_ARCH_\(architecture.rawValue)",
    ]
  }

  private func run(
    _ clang: ClangTool, _ text: [UInt8], flags: [String], name: String
  ) throws(MoontraceError) -> [UInt8] {
    let files = ScratchFiles(cache)
    try files.write("c", text)
    let (succeeded, said) = try clang.run(flags + ["-c", files.path("c"), "-o", files.path("o")])
    guard succeeded else { throw clangFailure(String(decoding: said, as: UTF8.self), name: name) }
    return try files.read("o")
  }
}
