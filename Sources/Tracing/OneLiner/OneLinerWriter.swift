/// Writes the script of a one-liner.
struct OneLinerWriter {
  let shared: SharedNames

  /// The group of globals that holds the variables.
  private static let group = "_variables"

  func declare(_ text: inout OneLinerText) {
    for map in shared.maps { text.append("local \(map.name) = map()") }
    guard !shared.variables.isEmpty else { return }
    let fields = shared.variables.map { "\($0.name) = \($0.initial)" }
    text.append("local \(Self.group) = global{ \(fields.joined(separator: ", ")) }")
  }

  func write(
    _ action: OneLinerAction, number: Int, _ probes: [String], filters: [OneLinerPart], _ text: inout OneLinerText
  ) {
    let specs = probes.map(Self.quoted).joined(separator: ", ")
    text.append("probe({ \(specs) }, function(args)", for: "probe \(number)")
    for filter in filters {
      text.append("if not (")
      text.append(filter.tokens, of: filter) { renamed(filter.tokens, $0) }
      text.append(") then return end")
    }
    write(action, &text)
    text.append("end)")
  }

  private func write(_ action: OneLinerAction, _ text: inout OneLinerText) {
    let all = action.part.tokens
    func append(_ tokens: TokenList) {
      text.append(tokens, of: action.part) { action.globals.contains(all[$0].text) ? renamed(all, $0) : nil }
    }
    switch action.form {
    case .statements(let statements):
      for statement in statements {
        append(statement)
        if statements.count > 1 { text.append(";") }
      }
    case .record(let record):
      text.append("return")
      append(record)
    case .event(let expressions):
      text.append("return {")
      for (name, expression) in zip(ColumnNames.of(expressions), expressions) {
        text.append("[\(Self.quoted(name))] =")
        append(expression)
        text.append(",")
      }
      text.append("}")
    }
  }

  /// What stands for a name that is a variable of ours.
  private func renamed(_ tokens: TokenList, _ index: Int) -> String? {
    let token = tokens[index]
    guard token.kind == .name, shared.variables.contains(where: { $0.name == token.text }),
      SharedNames.isFree(tokens, index)
    else { return nil }
    return "\(Self.group).\(token.text)"
  }

  /// Results are shown, as aggregates are.
  func showAtEnd(_ text: inout OneLinerText) {
    for map in shared.maps where !map.isScratch {
      let keys = map.keys.map(Self.quoted).joined(separator: ", ")
      text.append("at_exit(function() require('moontrace.maps').show(\(map.name), '\(map.name)', { \(keys) }) end)")
    }
    guard !shared.variables.isEmpty else { return }
    let names = shared.variables.map(\.name)
    let fields = names.map { "\($0) = \(Self.group).\($0)" }.joined(separator: ", ")
    let columns = names.map(Self.quoted).joined(separator: ", ")
    text.append("at_exit(function() emit({ \(fields) }, { \(columns) }) end)")
  }

  private static func quoted(_ text: String) -> String {
    let escaped = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    return "\"\(escaped)\""
  }
}
