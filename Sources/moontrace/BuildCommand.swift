import ArgumentParser
import Glibc
import Support
import Tracing

/// `moontrace build FILE.bpf.c`: a program in C becomes a package.
struct BuildCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "build",
    abstract: "Compile a BPF program in C to a package that runs by itself.",
    discussion: """
      FILE.bpf.c includes "vmlinux.h" and libbpf's headers, which are made from the running kernel and carried inside; \
      clang compiles it. The package knows the program's options, maps and events from its types, and what its \
      documentation comments say: /// @cmdarg {"short": "p"} before a global, /// @sample {"interval": 1000} before a map.

      NAME.bpf.o (the object, without DWARF), NAME.skel.json and package.json are written beside FILE; 'moontrace run \
      package.json' runs it, here and on other machines. Events have the type that is written into their buffer; \
      --event MAP='struct NAME' names it where that can't be told. All structs of HEADER are event types too, as in \
      eunomia-bpf.

      The same input is compiled once. Kernels without BTF of their own need theirs in the package: --tar with --btf.
      """)

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "Write there: a directory (DIR/), or one file: .json, .yaml, .tar (package), .skel.json or .o.",
      valueName: "path"))
  var output: String?

  @Flag(help: "Write YAML in place of JSON.")
  var yaml = false

  @Flag(help: "Write NAME.tar too, with the BTF that --btf names.")
  var tar = false

  @Option(
    help: ArgumentHelp(
      "BTF for the archive: ID/VERSION_ID/ARCH/RELEASE.btf, or a directory of such; reduced to what the program needs.",
      valueName: "path"),
    completion: .file())
  var btf: [String] = []

  @Option(
    help: ArgumentHelp("The events in MAP are of this type.", valueName: "map=struct name"))
  var event: [String] = []

  @Option(
    help: ArgumentHelp("Kernel types: a vmlinux.h or BTF, not the running kernel's.", valueName: "file"),
    completion: .file())
  var vmlinux: String?

  @Option(
    help: ArgumentHelp(
      "Whose registers PT_REGS_PARM1 and such are: \(TargetArchitecture.allCases.map(\.rawValue).joined(separator: ", ")).",
      valueName: "name"))
  var arch: String?

  @Option(
    name: [.customShort("I", allowingJoined: true)],
    help: ArgumentHelp("Search this directory for headers.", valueName: "dir"), completion: .directory)
  var includes: [String] = []

  @Option(
    name: [.customShort("D", allowingJoined: true)],
    help: ArgumentHelp("Define a macro.", valueName: "name[=value]"))
  var definitions: [String] = []

  @Flag(name: .shortAndLong, help: "Don't say what was written.")
  var quiet = false

  @Option(help: "Colour messages: auto, always or never.")
  var color: ColorChoice = .auto

  @Argument(help: ArgumentHelp("The program.", valueName: "file.bpf.c"), completion: .file(extensions: ["c"]))
  var file: String

  @Argument(help: ArgumentHelp("A header with event types.", valueName: "header"), completion: .file(extensions: ["h"]))
  var header: String?

  /// `build`'s arguments with `-DNAME=VALUE` in two, as the parser wants it: what stands before a `=` is a name to it.
  static func separated(_ arguments: [String]) -> [String] {
    guard arguments.first == configuration.commandName else { return arguments }
    return arguments.flatMap { word in
      word.hasPrefix("-D") && word.contains("=") ? ["-D", String(word.dropFirst(2))] : [word]
    }
  }

  mutating func run() throws {
    var archive = try kernelArchive()
    let result = try build()
    try archive?.reduce(for: result)
    show(result.diagnostics)
    for warning in result.warnings { say(warning) }
    let written = try PackageOutput(result, to: output, source: file, isYAML: yaml, archive: archive).write()
    if !quiet { try printToStandardOutput(written.map { $0 + "\n" }.joined()) }
  }

  private func kernelArchive() throws -> KernelArchive? {
    guard tar || !btf.isEmpty else { return nil }
    if btf.isEmpty {
      throw MoontraceError(.usage, "--tar needs the BTF of kernels", remedy: "name files or a directory with --btf")
    }
    return try KernelArchive(btf)
  }

  private func build() throws -> ProgramBuilder.Result {
    do throws(MoontraceError) {
      return try ProgramBuilder(try options()).build(file)
    } catch {
      // clang's own words say more than the first of its errors.
      guard error.code == .scriptFailed, let said = error.detail, error.message.hasPrefix("C error:") else {
        throw error
      }
      show(Array(said.utf8))
      let failure = MoontraceError(.scriptFailed, "\(file) does not compile", remedy: error.remedy)
      printToStandardError("\(style.alarming("moontrace:")) \(failure.text(style))")
      throw ExitCode(error.code.rawValue)
    }
  }

  private func options() throws(MoontraceError) -> BuildOptions {
    var options = BuildOptions()
    (options.typesPath, options.headerPath) = (vmlinux, header)
    (options.includeDirectories, options.definitions) = (includes, definitions)
    options.toolVersion = "moontrace \(Moontrace.version)"
    for text in event {
      let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2 else {
        throw MoontraceError(.usage, "--event '\(text)' names no type", remedy: "write --event 'MAP=struct NAME'")
      }
      options.eventTypes[parts[0]] = parts[1]
    }
    if let arch { options.architecture = try Self.architecture(arch) }
    return options
  }

  private static func architecture(_ name: String) throws(MoontraceError) -> TargetArchitecture {
    if let architecture = TargetArchitecture(name: name) { return architecture }
    let names = TargetArchitecture.allCases.map(\.rawValue)
    throw MoontraceError(
      .usage, "--arch '\(name)' is unknown\(suggestionHint(for: name, in: names))",
      remedy: "there are \(names.joined(separator: ", "))")
  }

  private var style: TextStyle { TextStyle(color, for: STDERR_FILENO) }

  /// What clang said.
  private func show(_ text: [UInt8]) {
    if text.isEmpty { return }
    let bytes = style.isColored ? text : Array(withoutColors(text).utf8)
    try? writeAll(STDERR_FILENO, bytes, name: "stderr")
  }

  private func say(_ warning: MoontraceError) {
    var warning = warning
    warning.message = "warning: \(warning.message)"
    printToStandardError(warning.text(style))
  }
}
