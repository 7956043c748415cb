extension RecipeHeader {
  /// The help that `--help` prints: usage, summary, options with defaults and choices, needs, examples. Ends in a newline.
  ///
  /// `programName` stands after "Usage:", such as `moontrace opensnoop`.
  /// - Parameter takesArguments: whether what is no option may stand behind it too.
  public func helpText(programName: String, takesArguments: Bool = true) -> String {
    var parts = [usageLine(programName) + (takesArguments ? " [ARGUMENT]...\n" : "\n")]
    if !summary.isEmpty { parts.append(summary + "\n") }
    parts.append("Options:\n" + optionLines())
    if !needs.isEmpty {
      parts.append("Needs: " + needs.map { "--allow \($0)" }.joined(separator: " ") + "\n")
    }
    if !examples.isEmpty { parts.append("Examples:\n" + examples.map(Self.indented).joined(separator: "\n")) }
    return parts.joined(separator: "\n")
  }

  /// The help of a script that has no header.
  public static func helpTextWithoutHeader(programName: String) -> String {
    """
    Usage: \(programName) [ARGUMENT]...

    This script has no recipe header: it declares no options and finds all arguments in 'arg'.

    """
  }

  private func usageLine(_ programName: String) -> String {
    let required = options.filter(\.required).map { " \($0.flag) \($0.placeholder)" }
    return "Usage: \(programName)\(required.joined()) [OPTION]..."
  }

  private func optionLines() -> String {
    let helpFlag = options.contains { $0.short == "h" } ? "      --help" : "  -h, --help"
    let rows = options.map { ($0.synopsis, $0.helpWithDetails) } + [(helpFlag, "show this help")]
    // A synopsis wider than this pushes its own help to the next line, not everybody's to the right.
    let widest = 32
    let column = (rows.map(\.0.count).filter { $0 <= widest }.max() ?? 0) + 2
    return rows.map { synopsis, help in Self.optionLine(synopsis, help, column: column) }.joined()
  }

  private static func optionLine(_ synopsis: String, _ help: String, column: Int) -> String {
    let margin = String(repeating: " ", count: column)
    let lines = wrapped(help, width: max(30, 80 - column))
    guard let first = lines.first else { return synopsis + "\n" }
    let padding = column - synopsis.count
    let start = padding >= 2 ? synopsis + String(repeating: " ", count: padding) : synopsis + "\n" + margin
    return start + first + "\n" + lines.dropFirst().map { margin + $0 + "\n" }.joined()
  }

  private static func wrapped(_ text: String, width: Int) -> [String] {
    var lines: [String] = []
    for word in text.split(whereSeparator: \.isWhitespace) {
      if let last = lines.last, last.count + 1 + word.count <= width {
        lines[lines.count - 1] = last + " " + word
      } else {
        lines.append(String(word))
      }
    }
    return lines
  }

  private static func indented(_ example: String) -> String {
    var lines = example.split(separator: "\n", omittingEmptySubsequences: false)
    while let last = lines.last, last.allSatisfy(\.isWhitespace) { lines.removeLast() }
    return lines.map { $0.isEmpty ? "\n" : "  \($0)\n" }.joined()
  }
}

extension RecipeOption {
  fileprivate var placeholder: String { form?.placeholder ?? type.rawValue.uppercased() }

  /// `  -p, --pid INTEGER`; a boolean that is on from the start shows how to turn it off.
  fileprivate var synopsis: String {
    let letter = short.map { "  -\($0), " } ?? "      "
    if type != .boolean { return "\(letter)\(flag) \(placeholder)" }
    return defaultValue == .boolean(true) ? "\(letter)--[no-]\(flag.dropFirst(2))" : letter + flag
  }

  fileprivate var helpWithDetails: String {
    var details: [String] = []
    if required { details.append("required") }
    if !choices.isEmpty { details.append("one of: " + choices.map(\.description).joined(separator: ", ")) }
    if let defaultValue, defaultValue != .boolean(false) {
      details.append("default: " + (defaultValue == .boolean(true) ? "on" : defaultValue.description))
    }
    return details.isEmpty ? help : help + (help.isEmpty ? "" : " ") + "(" + details.joined(separator: "; ") + ")"
  }
}
