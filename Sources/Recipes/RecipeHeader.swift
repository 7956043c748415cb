import Support

/// What a recipe says about itself in its `recipe { … }` header, checked.
///
/// ```swift
/// let header = try RecipeHeader(.table(["name": .string("opensnoop"), "summary": .string("Trace file opens")]))
/// let options = try header.parseArguments(["-p", "12"])
/// ```
public struct RecipeHeader: Equatable, Sendable {
  public var name: String
  /// One line.
  public var summary: String
  public var version: String?
  public var category: String?
  public var options: [RecipeOption]
  public var needs: [Capability]
  /// Texts for the end of the help; each may have several lines.
  public var examples: [String]

  public init(
    name: String, summary: String = "", version: String? = nil, category: String? = nil, options: [RecipeOption] = [],
    needs: [Capability] = [], examples: [String] = []
  ) {
    self.name = name
    self.summary = summary
    self.version = version
    self.category = category
    self.options = options
    self.needs = needs
    self.examples = examples
  }

  /// Reads a header out of the table that a script gave to `recipe`.
  ///
  /// Throws a script error that names the key or option to blame for anything that is not exactly as documented; the
  /// caller, who knows the script and line, sets its `location`.
  public init(_ value: RecipeValue) throws(MoontraceError) {
    let keys = ["name", "summary", "version", "category", "options", "needs", "examples"]
    let table = try TableReader(value, place: "recipe", keys: keys)
    guard let name = try table.string("name") else {
      throw MoontraceError(.scriptFailed, "recipe: 'name' is missing", remedy: "give the recipe a name, name = \"…\"")
    }
    try checkIdentifier(name, place: "recipe: name")
    self.init(
      name: name,
      summary: try table.line("summary") ?? "",
      version: try table.line("version"),
      category: try table.line("category"),
      options: try Self.readOptions(table),
      needs: try Self.readNeeds(table),
      examples: try table.strings("examples"))
  }

  private static func readOptions(_ table: TableReader) throws(MoontraceError) -> [RecipeOption] {
    var options: [RecipeOption] = []
    for (index, value) in try table.list("options").enumerated() {
      options.append(try RecipeOption(value, position: index + 1))
    }
    try OptionNames.checkUnique(options)
    return options
  }

  private static func readNeeds(_ table: TableReader) throws(MoontraceError) -> [Capability] {
    var needs: [Capability] = []
    for text in try table.strings("needs") {
      do {
        needs.append(try Capability(text))
      } catch {
        throw MoontraceError(.scriptFailed, "recipe: needs: \(error.message)", remedy: error.remedy)
      }
    }
    return needs
  }
}
