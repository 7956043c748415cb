import Glibc
import Support

/// The Lua text of a run and the name that errors call it by.
public struct ScriptSource: Sendable {
  public var text: [UInt8]
  /// A path for files, `-` for standard input, `(command line)` for `-e`.
  public var name: String
  /// Whether the text is our own, in whose lines the user has no interest.
  var isLibrary = false
  /// The program written in C that the library's text runs; nil for scripts.
  var program: ProgramSource?
  /// Where its lines come from, when it was made from a command line.
  var places: ScriptPlaces?

  /// Whether it is a program written in C.
  public var isProgram: Bool { program != nil }

  /// What errors and help call it: a path's last part.
  public var shortName: String {
    name.split(separator: "/").last.map(String.init) ?? name
  }

  /// What Lua knows the text by.
  var chunkName: String { isLibrary ? "=[moontrace program]" : "@\(shortName)" }

  /// The path of a file that the script names: as it stands, or beside the script when only there is one.
  func path(of name: String) -> String {
    guard !name.hasPrefix("/"), access(name, F_OK) != 0, let slash = self.name.lastIndex(of: "/") else { return name }
    let beside = "\(self.name[...slash])\(name)"
    return access(beside, F_OK) == 0 ? beside : name
  }

  /// The line that a text inside the script begins on; nil when the script does not hold it.
  func line(of part: String) -> Int? {
    let whole = String(decoding: text, as: UTF8.self)
    guard !part.isEmpty, let range = whole.firstRange(of: part) else { return nil }
    return 1 + whole[..<range.lowerBound].utf8.count { $0 == UInt8(ascii: "\n") }
  }

  /// A line of the script by its number from 1; empty beyond the last.
  func line(_ number: Int) -> String {
    let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    return lines.indices.contains(number - 1) ? String(decoding: lines[number - 1], as: UTF8.self) : ""
  }

  /// Lua given on the command line.
  public static func text(_ lua: String) -> ScriptSource {
    ScriptSource(text: Array(lua.utf8), name: "(command line)")
  }

  /// Finds what TARGET means (SPEC §1): `-`, a path, or a bare name, looked for as `./NAME.lua`, then in the user's
  /// recipes, then among the built-in ones.
  ///
  /// Throws a usage error when there is no such thing, or when it is something that this version doesn't run.
  public static func resolve(_ target: String) throws(MoontraceError) -> ScriptSource {
    if target == "-" { return source(try read("standard input", readStandardInput), name: "-") }
    if target.contains("/") || target.hasSuffix(".lua") || ProgramSource.isName(target) { return try file(target) }
    return try recipe(target)
  }

  private static func recipe(_ name: String) throws(MoontraceError) -> ScriptSource {
    for path in ["./\(name).lua", "\(userRecipes)/\(name).lua"] where access(path, F_OK) == 0 {
      return try file(path)
    }
    if let text = Library.file("recipes/\(name).lua") {
      return ScriptSource(text: text, name: "\(name).lua")
    }
    if access(name, F_OK) == 0 { return try file(name) }
    throw MoontraceError(
      .usage, "no script or recipe '\(name)'\(suggestionHint(for: name, in: builtInRecipes))",
      remedy: "give a path to a .lua file, or one of: \(builtInRecipes.joined(separator: ", "))")
  }

  /// The names of all recipes, the user's and the built-in ones, sorted.
  public static func recipeNames() -> [String] {
    let own = directoryEntries(userRecipes).filter { $0.hasSuffix(".lua") }.map { String($0.dropLast(".lua".count)) }
    return Set(builtInRecipes).union(own).sorted()
  }

  private static var builtInRecipes: [String] {
    Library.files(below: "recipes/").map { String($0.path.dropFirst("recipes/".count).dropLast(".lua".count)) }
  }

  private static func file(_ path: String) throws(MoontraceError) -> ScriptSource {
    source(try read(path, readFile), name: path)
  }

  /// A script, or a program written in C by its name or its first bytes.
  private static func source(_ bytes: [UInt8], name: String) -> ScriptSource {
    guard let program = ProgramSource(bytes, name: name) else { return ScriptSource(text: bytes, name: name) }
    var source = ScriptSource(text: Library.file("api/program.lua") ?? [], name: name)
    source.isLibrary = true
    source.program = program
    return source
  }

  private static func readStandardInput(_ name: String) throws(SystemError) -> [UInt8] {
    try readAll(STDIN_FILENO, name: name)
  }

  private static func read(
    _ name: String, _ body: (String) throws(SystemError) -> [UInt8]
  ) throws(MoontraceError) -> [UInt8] {
    do throws(SystemError) {
      return try body(name)
    } catch {
      throw MoontraceError(.usage, "\(name): \(error.errno == EISDIR ? "is a directory" : errnoText(error.errno))")
    }
  }

  private static var userRecipes: String { "\(userConfiguration)/recipes" }
}
