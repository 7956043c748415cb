import KernelLoader
import LuaRuntime
import ProbeCompiler
import Support

/// A `global{}` of a script: its scalars, first in this process alone, then in memory that programs share.
final class ScriptGlobals {
  let fields: [DataType.Field]
  private var words: [UInt64]
  private(set) var shared: MappedValue?

  /// - Parameter initial: names and values as `global` was given them.
  init(_ initial: LuaTable) throws(MoontraceError) {
    guard initial.list.isEmpty, initial.otherKeyCount == 0, !initial.fields.isEmpty else {
      throw MoontraceError(.scriptFailed, "global: expected a table of names and initial values")
    }
    var fields: [DataType.Field] = []
    words = []
    for name in initial.fields.keys.sorted() {
      let (type, word) = try Self.scalar(initial[name], name)
      fields.append(DataType.Field(name: name, type: type))
      words.append(word)
    }
    self.fields = fields
  }

  private static func scalar(_ value: LuaValue, _ name: String) throws(MoontraceError) -> (DataType, UInt64) {
    switch value {
    case .integer(let number): return (.integer, UInt64(bitPattern: number))
    case .boolean(let truth): return (.boolean, truth ? 1 : 0)
    case .number(let number):
      if let exact = Int64(exactly: number) { return (.integer, UInt64(bitPattern: exact)) }
      fallthrough
    default:
      throw MoontraceError(
        .scriptFailed, "global: '\(name)' is an integer or a boolean, not a \(value.typeName)",
        remedy: "keep text and tables in a map{}")
    }
  }

  /// Puts the values where programs can reach them.
  func share() throws(MoontraceError) {
    let shared = try MappedValue(name: "globals", size: 8 * fields.count, isWritable: true)
    for (index, word) in words.enumerated() { shared.write(word, at: 8 * index) }
    self.shared = shared
  }

  func value(_ name: String) throws(MoontraceError) -> LuaValue {
    let index = try index(of: name)
    let word = shared?.counter(index) ?? words[index]
    return fields[index].type == .boolean ? .boolean(word != 0) : .integer(Int64(bitPattern: word))
  }

  func set(_ name: String, to value: LuaValue) throws(MoontraceError) {
    let index = try index(of: name)
    let (type, word) = try Self.scalar(value, name)
    guard type == fields[index].type else {
      let expected = fields[index].type == .boolean ? "a boolean" : "an integer"
      throw MoontraceError(.scriptFailed, "global '\(name)': expected \(expected), got a \(value.typeName)")
    }
    words[index] = word
    shared?.write(word, at: 8 * index)
  }

  private func index(of name: String) throws(MoontraceError) -> Int {
    if let index = fields.firstIndex(where: { $0.name == name }) { return index }
    throw MoontraceError(
      .scriptFailed, "there is no global '\(name)'\(suggestionHint(for: name, in: fields.map(\.name)))")
  }
}
