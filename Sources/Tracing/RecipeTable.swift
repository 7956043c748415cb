import LuaRuntime
import Recipes

extension RecipeValue {
  /// The header that a script gave, free of the interpreter.
  init(_ value: LuaValue) {
    switch value {
    case .nil: self = .nil
    case .boolean(let flag): self = .boolean(flag)
    case .integer(let number): self = .integer(Int(number))
    case .number(let number): self = .number(number)
    case .string: self = .string(value.text ?? "")
    case .table(let table): self = RecipeValue(table)
    default: self = .other(value.typeName)
    }
  }
}

extension RecipeValue {
  private init(_ table: LuaTable) {
    if table.fields.isEmpty, table.otherKeyCount == 0 {
      self = .list(table.list.map(RecipeValue.init))
      return
    }
    var entries = table.fields.mapValues { RecipeValue($0) }
    for (index, value) in table.list.enumerated() { entries["[\(index + 1)]"] = RecipeValue(value) }
    self = .table(entries)
  }
}

extension LuaValue {
  /// A parsed option as the script sees it.
  init(_ value: OptionValue) {
    switch value {
    case .integer(let number), .size(let number): self = .integer(Int64(number))
    case .number(let number), .duration(let number): self = .number(number)
    case .string(let text), .file(let text): self = .text(text)
    case .boolean(let flag): self = .boolean(flag)
    }
  }
}
