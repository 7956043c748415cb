/// A value of a recipe header as its script wrote it, free of the interpreter that read it.
///
/// The Lua side converts tables like this: a table whose keys are exactly 1…n is a `list`, any other a `table` with the
/// text of its keys (`[1]` for a number among names). An empty table may come as either; both are read as empty.
public enum RecipeValue: Equatable, Sendable {
  case `nil`
  case boolean(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  case list([RecipeValue])
  case table([String: RecipeValue])
  /// A value that no header can hold, by its Lua type name: `function`.
  case other(String)
}

extension RecipeValue {
  /// The value as an error message quotes it: `string 'abc'`, `integer 5`, `table`.
  var quoted: String {
    switch self {
    case .nil: "nil"
    case .boolean(let value): "\(value)"
    case .integer(let value): "integer \(value)"
    case .number(let value): "number \(value)"
    case .string(let text): "string '\(text)'"
    case .list: "list"
    case .table: "table"
    case .other(let kind): kind
    }
  }
}
