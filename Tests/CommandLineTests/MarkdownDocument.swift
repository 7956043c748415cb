import Support

/// A page of the documentation, taken apart for the tests that run what it shows.
struct MarkdownDocument {
  let text: String

  /// Reads `docs/NAME`, or a file of the top level (`../README.md`).
  init(_ name: String) throws {
    let top = #filePath.dropLast("/Tests/CommandLineTests/MarkdownDocument.swift".count)
    text = String(decoding: try readFile("\(top)/docs/\(name)"), as: UTF8.self)
      .replacing("\\\n", with: "")
  }

  private var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

  /// A command that a page shows, and what it printed.
  struct Command: CustomStringConvertible, Sendable {
    var title: String
    var text: String
    var output: [String]

    var description: String { title }
  }

  /// The `console` blocks: a line `$ COMMAND`, then output. A command's title is the last bold line before it.
  func commands() -> [Command] {
    var commands: [Command] = []
    var (title, isInside) = ("", false)
    for line in lines {
      if line.hasPrefix("**") { title = String(line) }
      if line.hasPrefix("```") {
        isInside = line == "```console"
      } else if isInside, line.hasPrefix("$ ") {
        commands.append(Command(title: title, text: String(line.dropFirst(2)), output: []))
      } else if isInside, !commands.isEmpty {
        commands[commands.count - 1].output.append(String(line))
      }
    }
    return commands
  }

  /// A piece of code in a table's last column.
  struct Snippet: CustomStringConvertible, Sendable {
    /// What the comment before the table says of its code: `action t:sched:sched_switch`.
    var kind: String
    var text: String

    var description: String { text }
  }

  /// The code in the last columns of the tables that follow a comment `<!-- KIND -->`.
  func snippets() -> [Snippet] {
    var snippets: [Snippet] = []
    var kind: String?
    for line in lines {
      if line.hasPrefix("<!-- ") { kind = String(line.dropFirst(5).dropLast(4)) }
      if !line.hasPrefix("|"), !line.hasPrefix("<!--") { kind = nil }
      guard let kind, line.hasPrefix("| ") else { continue }
      let cells = line.replacing("\\|", with: "\u{1}").split(separator: "|")
      let spans = (cells.dropLast(cells.last == "" ? 1 : 0).last ?? "").split(
        separator: "`", omittingEmptySubsequences: false)
      for index in stride(from: 1, to: spans.count, by: 2) {
        snippets.append(Snippet(kind: kind, text: String(spans[index]).replacing("\u{1}", with: "|")))
      }
    }
    return snippets
  }
}
