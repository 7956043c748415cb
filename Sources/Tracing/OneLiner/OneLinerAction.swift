import LuaBytecode
import LuaRuntime
import Support

/// What an action is: the columns of an event, or statements.
struct OneLinerAction {
  enum Form {
    /// The expressions, each a column.
    case event([TokenList])
    /// One table constructor, which is the event.
    case record(TokenList)
    /// Statements, one after the other.
    case statements([TokenList])
  }

  let part: OneLinerPart
  let form: Form
  /// Global names that it reads or assigns.
  let globals: Set<String>
  /// Those of them that it assigns.
  let assigned: Set<String>

  /// Functions that do something and have no value.
  private static let doers: Set<String> = [
    "count", "sum", "avg", "min", "max", "stats", "hist", "lhist", "print", "printf", "emit", "exit", "signal",
    "override",
  ]

  /// Reads an action. Throws `.usage`, with the column, when it is no Lua.
  init(_ part: OneLinerPart) throws(MoontraceError) {
    self.part = part
    if part.tokens.isEmpty {
      throw MoontraceError(
        .usage, "trace: \(part.name) is empty", remedy: "write what to show, such as 'pid, comm', or what to do")
    }
    let dump: [UInt8]
    (form, dump) = try Self.read(part)
    let prototype = try LuaPrototype(dump: dump)
    globals = prototype.globals([.getTabUp, .setTabUp])
    assigned = prototype.globals([.setTabUp])
  }

  private static func read(_ part: OneLinerPart) throws(MoontraceError) -> (Form, [UInt8]) {
    let failure: MoontraceError
    do throws(MoontraceError) {
      let dump = try compile("return", part)
      let form = try form(of: part)
      return (form, dump)
    } catch {
      if error.detail == Self.mixed { throw error }
      failure = error
    }
    do throws(MoontraceError) {
      return (.statements([part.tokens]), try compile("", part))
    } catch {
      throw furthest(failure, error)
    }
  }

  private static let mixed = "values and statements are mixed"

  private static func form(of part: OneLinerPart) throws(MoontraceError) -> Form {
    let expressions = part.tokens.split()
    if expressions.count == 1, let only = expressions.first, only.first?.is("{") == true,
      only.closing(only.startIndex) == only.endIndex - 1
    {
      return .record(only)
    }
    let doing = expressions.filter(isStatement)
    if doing.count == expressions.count { return .statements(expressions) }
    guard let first = doing.first?.first else { return .event(expressions) }
    throw MoontraceError(
      .usage,
      "trace: \(part.name), column \(part.place(of: first).column ?? 1): \(first.text)(…) has no value for a column",
      remedy: "name the probe once more and give it an action of its own", detail: mixed)
  }

  /// Whether an expression is a call of what has no value: `count(comm)`, `sizes:add(1)`.
  private static func isStatement(_ expression: TokenList) -> Bool {
    guard let first = expression.first, first.kind == .name,
      expression.endOfSuffixes(from: expression.startIndex + 1) == expression.endIndex
    else { return false }
    let second = expression.dropFirst().first
    if second?.is(":") == true {
      return expression.dropFirst(2).first.map { ["add", "emit"].contains($0.text) } ?? false
    }
    return doers.contains(first.text) && second.map { $0.is("(") || $0.is("{") || $0.kind == .string } ?? false
  }

  // MARK: Mistakes

  /// Compiles the tokens behind a word. Throws `.usage` that says where in the part the mistake is, with that line of the
  /// compiled text as its detail.
  static func compile(_ word: String, _ part: OneLinerPart) throws(MoontraceError) -> [UInt8] {
    var text = OneLinerText()
    text.append(word)
    text.append(part.tokens, of: part)
    do throws(LuaSyntax.Mistake) {
      return try LuaSyntax.compile(text.text)
    } catch {
      let isAtEnd = error.message.hasSuffix("near <eof>")
      let place =
        isAtEnd
        ? "trace: \(part.name), at the end" : text.places.description(ofLine: error.line, message: error.message)
      let token = text.places.places.dropFirst(error.line - 1).first??.token
      throw MoontraceError(
        .usage, "\(place): \(translated(error.message, text.places))",
        remedy: isAtEnd ? nil : remedy(for: token ?? "", in: part), detail: "\(isAtEnd ? .max : error.line)")
    }
  }

  /// Lua tells of another line in `'end' expected (to close 'if' at line 3) near <eof>`.
  private static func translated(_ message: String, _ places: ScriptPlaces) -> String {
    guard let range = message.firstRange(of: " at line ") else { return message }
    let digits = message[range.upperBound...].prefix { $0.isNumber }
    guard let line = Int(digits), let column = places.places.dropFirst(line - 1).first??.column else { return message }
    return "\(message[..<range.lowerBound]) at column \(column)\(message[digits.endIndex...])"
  }

  /// What C and bpftrace write otherwise.
  private static func remedy(for token: String, in part: OneLinerPart) -> String? {
    switch token {
    case "@": "a map's name has no @: seen[comm]"
    case "$": "a variable is declared with local, and its name has no $"
    case "!": "Lua writes 'not' and '~='"
    case "&": "Lua writes 'and'"
    case "|": "Lua writes 'or'"
    case "?": "Lua writes 'a and b or c', or if"
    case ">": part.text.contains("->") ? "Lua writes a.b" : nil
    case "+" where part.text.contains("++"): "Lua writes n = n + 1"
    default: nil
    }
  }

  /// Of what the parser has against a text as an expression and as a statement, the one that it came further with.
  private static func furthest(_ first: MoontraceError, _ second: MoontraceError) -> MoontraceError {
    var error = Int(first.detail ?? "") ?? 0 >= Int(second.detail ?? "") ?? 0 ? first : second
    error.detail = nil
    return error
  }
}

extension LuaPrototype {
  /// The global names that instructions of these kinds name, in this function and those inside.
  fileprivate func globals(_ opcodes: Set<LuaOpcode>) -> Set<String> {
    var names: Set<String> = []
    for instruction in instructions where opcodes.contains(instruction.opcode) {
      let (table, key) =
        instruction.opcode == .getTabUp ? (instruction.b, instruction.c) : (instruction.a, instruction.b)
      guard upvalues.indices.contains(table), upvalues[table].name == "_ENV" else { continue }
      if constants.indices.contains(key), case .string(let name) = constants[key] {
        names.insert(String(decoding: name, as: UTF8.self))
      }
    }
    return prototypes.reduce(names) { $0.union($1.globals(opcodes)) }
  }
}
