import BTF
import Glibc
import Support

/// Compiles a program in C for a package, and finds out which types its events have.
///
/// The result is kept by what it was made of: the compiler, its options, the text of every file that was included, and the
/// absence of files that would be found before those.
struct ProgramCompiler {
  let path: String
  let options: BuildOptions
  private let cache: Cache
  private let clang: ClangTool
  private let headers: CHeaders

  init(_ path: String, _ options: BuildOptions) throws(MoontraceError) {
    self.path = path
    self.options = options
    cache = try Cache.orTemporary()
    clang = try ClangTool.find(cache)
    headers = try CHeaders(cache, typesPath: options.typesPath)
  }

  /// Compiles, or gives what was made before of the same.
  ///
  /// - Throws: `.scriptFailed` with clang's first error, all it said being the detail.
  func compile() throws(MoontraceError) -> CompiledProgram {
    let entry = "builds/\(fingerprint(key.utf8))"
    if let kept = try? readFile(cache.path(entry)), let program = CompiledProgram(bytes: kept, key: key),
      program.isCurrent
    {
      cache.touch(entry)
      return program
    }
    let program = try make()
    try cache.makeDirectory("builds")
    // What does not fit on the disk is made again.
    try? cache.write(entry, program.bytes(key: key))
    cache.prune("builds")
    return program
  }

  /// Why the result is not kept; nil where it is.
  var cacheRefusal: MoontraceError? { cache.refusal }

  /// To be changed when the same input gives another result here.
  private static let version = 2

  private var key: String {
    let directory = getcwd(nil, 0).map { text in
      defer { free(text) }
      return String(cString: text)
    }
    let events = options.eventTypes.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    return ([String(Self.version), clang.identity, directory ?? "", path, options.headerPath ?? ""] + flags + events)
      .joined(separator: "\n")
  }

  private var flags: [String] {
    ClangCompiler.flags(options.architecture) + options.definitions.map { "-D\($0)" }
      + options.includeDirectories.flatMap { ["-I", $0] } + ["-I", headers.directory] + systemIncludes
  }

  /// Where Debian and its kin have asm/types.h, which linux/bpf.h includes and clang does not look for when it compiles
  /// for BPF.
  private var systemIncludes: [String] {
    let directory = "/usr/include/\(Self.hostTriple)"
    return access(directory, F_OK) == 0 ? ["-idirafter", directory] : []
  }

  #if arch(x86_64)
    private static let hostTriple = "x86_64-linux-gnu"
  #elseif arch(arm64)
    private static let hostTriple = "aarch64-linux-gnu"
  #endif

  private func make() throws(MoontraceError) -> CompiledProgram {
    let scratch = ScratchFiles(cache)
    let (object, said) = try run(
      ["-fcolor-diagnostics", "-MD", "-MF", scratch.path("d"), "-MT", "object", path], scratch)
    let paths = DependencyList.files(try scratch.read("d"))
    var program = CompiledProgram(object: object, diagnostics: said, files: try readFiles(paths))
    program.absent = IncludeSearch(options.includeDirectories, paths).absent
    let events = eventTypes(kernelTypes: paths.first { $0.hasSuffix("/vmlinux.h") || $0 == "vmlinux.h" })
    (program.events, program.sizes) = (events.found, events.sizes.mapValues { $0.sorted() })
    let missing = try missingTypes(program)
    // A header that the program does not include itself; twice it might not compile.
    let header = options.headerPath.flatMap { header in paths.contains { isSameFile($0, header) } ? nil : header }
    if !missing.isEmpty, let whole = keeping(missing, header) { program.object = whole }
    program.object = try ObjectStripper.strip(program.object, name: path)
    return program
  }

  private func run(
    _ arguments: [String], _ scratch: ScratchFiles
  ) throws(MoontraceError) -> (object: [UInt8], said: [UInt8]) {
    let (succeeded, said) = try clang.run(flags + arguments + ["-c", "-o", scratch.path("o")])
    if succeeded { return (try scratch.read("o"), said) }
    var failure = clangFailure(withoutColors(said), name: path)
    if let obstacle = headers.obstacle(of: failure) { throw obstacle }
    failure.detail = String(decoding: said, as: UTF8.self)
    if options.architecture != .host, options.typesPath == nil {
      failure.remedy = "the types are this kernel's: give those of \(options.architecture) with --vmlinux"
    }
    throw failure
  }

  private func readFiles(_ included: [String]) throws(MoontraceError) -> [CompiledProgram.SourceFile] {
    var paths = included.filter { !$0.hasPrefix(headers.directory) }
    if let header = options.headerPath, !paths.contains(where: { isSameFile($0, header) }) { paths.append(header) }
    var files: [CompiledProgram.SourceFile] = []
    for path in paths {
      do throws(SystemError) {
        files.append(.init(path: path, text: try readFile(path)))
      } catch {
        throw MoontraceError(.usage, "can't read '\(path)': \(errnoText(error.errno))")
      }
    }
    return files
  }

  // MARK: Types of events

  /// - Parameter kernelTypes: the `vmlinux.h` that the program includes.
  private func eventTypes(kernelTypes: String?) -> EventTypes {
    let compiled = kernelTypes.flatMap { try? precompiled($0) } ?? []
    let arguments = ["-w", "-fno-color-diagnostics", "-fsyntax-only", "-Xclang", "-ast-dump", path]
    var dump = try? clang.run(flags + compiled + arguments)
    // A program that defines things before it includes vmlinux.h may not compile with what that was compiled to.
    if dump?.succeeded != true, !compiled.isEmpty { dump = try? clang.run(flags + arguments) }
    return EventTypes(SyntaxTree(dump: dump?.output ?? []))
  }

  /// The option for using `vmlinux.h` in compiled form: read at once, and not part of the tree that clang prints.
  private func precompiled(_ header: String) throws(MoontraceError) -> [String] {
    var about = stat()
    stat(header, &about)
    let flags = ClangCompiler.flags(options.architecture)
    let identity = "\(clang.identity)\n\(flags)\n\(absolutePath(header)) \(about.st_size) \(about.st_mtim.tv_sec)"
    let name = "builds/vmlinux-\(fingerprint(identity.utf8)).pch"
    if access(cache.path(name), F_OK) != 0 {
      try cache.makeDirectory("builds")
      let scratch = ScratchFiles(cache)
      let (succeeded, said) = try clang.run(flags + ["-w", "-x", "c-header", header, "-o", scratch.path("pch")])
      guard succeeded else { throw clangFailure(withoutColors(said), name: header) }
      rename(scratch.path("pch"), cache.path(name))
    } else {
      cache.touch(name)
    }
    return ["-include-pch", cache.path(name)]
  }

  /// Types of events that the object's BTF leaves out, as clang does when only pointers to them are used.
  private func missingTypes(_ program: CompiledProgram) throws(MoontraceError) -> [String] {
    let types = try TypeGraph(object: program.object, name: path)
    let annotations = SourceAnnotations(program.ownFiles)
    var wanted = program.events.flatMap { [$0.type, $0.sizeType].compactMap(\.self) } + annotations.exportedTypes
    wanted += options.eventTypes.values.sorted().map(annotations.spelling)
    if let header = options.headerPath { wanted += program.types(in: header) }
    var missing: [String] = []
    for type in wanted where types.id(ofC: type) == nil && !missing.contains(type) { missing.append(type) }
    return missing
  }

  /// The object compiled once more with pointers to some types, in a section of their own that loaders pass over; nil when
  /// it does not compile so.
  private func keeping(_ types: [String], _ header: String?) -> [UInt8]? {
    var text = [path, header].compactMap(\.self).map { "#include \"\(absolutePath($0))\"\n" }.joined()
    for (index, type) in types.enumerated() {
      text +=
        "const __typeof__(\(type)) *__moontrace_event_\(index) __attribute__((section(\".moontrace.types\"), used));\n"
    }
    let scratch = ScratchFiles(cache)
    try? scratch.write("c", Array(text.utf8))
    return try? run(["-w", scratch.path("c")], scratch).object
  }
}
