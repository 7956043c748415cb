import Packages
import Support

/// Makes a package of a program in C.
///
/// ```swift
/// let built = try ProgramBuilder().build("opensnoop.bpf.c") { text in … }
/// let types = built.package.meta.exportTypes
/// ```
public struct ProgramBuilder {
  public var options: BuildOptions

  public init(_ options: BuildOptions = BuildOptions()) {
    self.options = options
  }

  /// A package, and what was said of its program.
  public struct Result: Sendable {
    public var package: Package
    /// The program's name: its file's, without `.bpf.c`.
    public var name: String
    /// clang's warnings with their lines, as it says them, coloured; empty when it has none.
    public var diagnostics: [UInt8]
    /// What is suspicious in the program's comments, and buffers whose events' type was not found.
    public var warnings: [MoontraceError]

    /// Both as plain text, for where they are by the way.
    var notes: [String] {
      let said = withoutColors(diagnostics)
      return (said.isEmpty ? [] : [said]) + warnings.map(\.description)
    }
  }

  /// Compiles a program, or takes what it was compiled to before, and describes it.
  ///
  /// - Throws: `.usage` when the file can't be read; `.unsupported` without clang, or without the kernel's types;
  ///   `.scriptFailed` for clang's errors (the first one, and in the detail all that it said, coloured) and for wrong
  ///   annotations.
  public func build(_ path: String) throws(MoontraceError) -> Result {
    do throws(SystemError) {
      _ = try readFile(path)
    } catch {
      throw MoontraceError(.usage, "can't read '\(path)': \(errnoText(error.errno))")
    }
    let compiler = try ProgramCompiler(path, options)
    let program = try compiler.compile()
    let name = Self.name(of: path)
    var builder = try MetaBuilder(program, name: name, options)
    let meta = try builder.build()
    return Result(
      package: Package(object: program.object, meta: meta), name: name, diagnostics: program.diagnostics,
      warnings: builder.warnings + [compiler.cacheRefusal].compactMap(\.self))
  }

  /// `opensnoop` of `tools/opensnoop.bpf.c`.
  private static func name(of path: String) -> String {
    let file = path.split(separator: "/").last.map(String.init) ?? path
    return [".bpf.c", ".c"].first(where: file.hasSuffix).map { String(file.dropLast($0.count)) } ?? file
  }
}
