// Expressions of a wanted kind.
extension LuaGenerator {
  /// An expression that gives a value of a kind, nested up to `depth`.
  mutating func expression(_ kind: Kind, _ depth: Int) -> String {
    // Now and then a value of another kind, which may raise an error.
    if oneIn(150) { return variables.randomElement(using: &random)?.name ?? "nil" }
    return switch kind {
    case .integer: integer(depth)
    case .boolean: boolean(depth)
    case .maybe: maybe(depth)
    case .any: anything(depth)
    case .text: text(depth)
    case .record: "{ x = \(integer(depth - 1)), y = \(anything(depth - 1)) }"
    case .tuple: "{ \(integer(depth - 1)), \(integer(depth - 1)), \(integer(depth - 1)) }"
    }
  }

  /// What an `if` asks: mostly a boolean, sometimes any value's truth.
  mutating func condition() -> String { expression(pick([.boolean, .boolean, .boolean, .any, .maybe]), 3) }

  /// A call with fitting arguments, now and then with one too few or too many.
  mutating func call(_ helper: Helper) -> String {
    if !helper.isShort { noteLoop() }
    var arguments = helper.parameters.map { expression($0, 1) }
    if oneIn(20) { arguments.append("1") }
    if let last = arguments.last, helper.parameters.last != .integer, oneIn(10), last != "1" { arguments.removeLast() }
    return "\(helper.name)(\(arguments.joined(separator: ", ")))"
  }

  private mutating func variable(_ kinds: Kind...) -> String? {
    variables.filter { kinds.contains($0.kind) }.randomElement(using: &random)?.name
  }

  private mutating func called(_ kind: Kind) -> String? {
    callable.filter { $0.results.first == kind }.randomElement(using: &random).map { "(\(call($0)))" }
  }

  // MARK: Integers

  static let numbers = [
    "0", "1", "-1", "2", "3", "7", "-7", "10", "63", "64", "65", "-64", "100", "127", "128", "255", "-128", "65536",
    "0x7fffffff", "0x80000000", "0xffffffff", "0x100000000", "-2147483648", "-2147483649", "0x7fffffffffffffff",
    "0xffffffffffffffff", "math.maxinteger", "math.mininteger", "K1", "K2", "KL", "KT.x", "KT[2]", "KT.n.z", "#KS",
  ]

  private mutating func integer(_ depth: Int) -> String {
    guard depth > 0, !oneIn(4) else {
      return oneIn(3) ? pick(Self.numbers) : variable(.integer) ?? pick(Self.numbers)
    }
    switch below(20) {
    case 0...6: return "(\(integer(depth - 1)) \(pick(["+", "-", "*", "&", "|", "~"])) \(integer(depth - 1)))"
    case 7...8: return "(\(integer(depth - 1)) \(pick(["//", "%"])) \(divisor(depth - 1)))"
    case 9:
      return "(\(integer(depth - 1)) \(pick(["<<", ">>"])) \(oneIn(2) ? integer(depth - 1) : "\(below(140) - 70)"))"
    case 10: return "(\(pick(["-", "~"])) \(integer(depth - 1)))"
    case 11: return "(\(boolean(depth - 1)) and \(integer(depth - 1)) or \(integer(depth - 1)))"
    case 12: return "(\(maybe(depth - 1)) or \(integer(depth - 1)))"
    case 13: return "math.\(pick(["min", "max"]))(\(integer(depth - 1)), \(integer(depth - 1)))"
    case 14: return "math.\(pick(["abs", "tointeger"]))(\(integer(depth - 1)))"
    case 15: return variable(.record).map { "\($0).x" } ?? integer(depth - 1)
    case 16: return variable(.tuple).map { "\($0)[\(1 + below(3))]" } ?? integer(depth - 1)
    case 17: return variable(.text, .tuple).map { "#\($0)" } ?? integer(depth - 1)
    case 18: return called(.integer) ?? integer(depth - 1)
    default: return "(\(integer(depth - 1)) \(pick(["+", "-", "*", "//", "%", "<<", ">>"])) \(pick(Self.numbers)))"
    }
  }

  private mutating func divisor(_ depth: Int) -> String {
    switch below(5) {
    case 0: integer(depth)
    case 1: pick(["2", "8", "1024", "-1", "-2", "3", "-3", "10", "1000", "math.mininteger", "math.maxinteger"])
    default: "(\(integer(depth)) | 1)"
    }
  }

  // MARK: Booleans

  private mutating func boolean(_ depth: Int) -> String {
    guard depth > 0, !oneIn(6) else {
      return variable(.boolean) ?? pick(["true", "false", "KB", "(\(integer(0)) == 0)", "(\(integer(0)) > 3)"])
    }
    switch below(14) {
    case 0...4:
      return "(\(integer(depth - 1)) \(pick(["<", "<=", ">", ">=", "==", "~="])) \(integer(depth - 1)))"
    case 5: return "(not \(anything(depth - 1)))"
    case 6: return "(\(boolean(depth - 1)) \(pick(["and", "or"])) \(boolean(depth - 1)))"
    case 7: return "(\(anything(depth - 1)) \(pick(["==", "~="])) \(anything(depth - 1)))"
    case 8: return "(\(anything(depth - 1)) \(pick(["==", "~="])) \(pick(["nil", "true", "false", "0", "KN"])))"
    case 9: return "(\(text(1)) \(pick(["==", "~="])) \(text(1)))"
    case 10: return "math.ult(\(integer(depth - 1)), \(integer(depth - 1)))"
    case 11: return called(.boolean) ?? boolean(depth - 1)
    case 12: return variable(.record, .tuple, .text).map { "(\($0) == nil)" } ?? boolean(depth - 1)
    default: return "(\(integer(depth - 1)) \(pick(["<", "<=", ">", ">=", "==", "~="])) \(pick(Self.numbers)))"
    }
  }

  // MARK: Several kinds

  private mutating func maybe(_ depth: Int) -> String {
    guard depth > 0, !oneIn(4) else { return variable(.maybe, .integer) ?? pick(["nil", "false", "4", "KN"]) }
    switch below(5) {
    case 0: return "(\(boolean(depth - 1)) and \(integer(depth - 1)))"
    case 1: return "(\(boolean(depth - 1)) and \(integer(depth - 1)) or nil)"
    case 2: return called(.maybe) ?? maybe(depth - 1)
    case 3: return "(\(maybe(depth - 1)) \(pick(["and", "or"])) \(maybe(depth - 1)))"
    default: return integer(depth - 1)
    }
  }

  private mutating func anything(_ depth: Int) -> String {
    guard depth > 0, !oneIn(3) else {
      return variable(.any, .maybe, .integer, .boolean) ?? pick(["nil", "true", "false", "0", "KN", "KB"])
    }
    switch below(8) {
    case 0: return integer(depth - 1)
    case 1: return boolean(depth - 1)
    case 2: return maybe(depth - 1)
    case 3...4: return "(\(anything(depth - 1)) \(pick(["and", "or"])) \(anything(depth - 1)))"
    case 5: return called(.any) ?? anything(depth - 1)
    case 6: return variable(.record).map { "\($0).y" } ?? anything(depth - 1)
    default: return pick(["nil", "true", "false", "-1"])
    }
  }

  private mutating func text(_ depth: Int) -> String {
    guard depth > 0, !oneIn(3) else { return variable(.text) ?? pick(["''", "'abc'", "'abcdefgh'", "KS", "KT.y"]) }
    switch below(3) {
    case 0: return "(\(boolean(1)) and \(text(depth - 1)) or \(text(depth - 1)))"
    case 1: return pick(["'abd'", "'a rather long text, of more than 32 bytes'", "'x'", "KT.n.s"])
    default: return text(depth - 1)
    }
  }
}
