import RandomTestSupport

/// Writes random Lua functions of three integers that end soon: what probes may do, in odd combinations.
///
/// ```swift
/// var generator = LuaGenerator(seed: 1)
/// print(generator.script())  // … local function f(a, b, c) … end
/// ```
struct LuaGenerator {
  /// What a variable may hold.
  enum Kind: CaseIterable {
    case integer
    case boolean
    /// An integer, nil or false: `(x or 0)` is an integer.
    case maybe
    /// An integer, a boolean or nil.
    case any
    case text
    /// A table with the fields `x`, an integer, and `y`, anything.
    case record
    /// A list of three integers.
    case tuple
  }

  struct Variable {
    var name: String
    var kind: Kind
    /// A loop's index or a table that may not be replaced.
    var isFixed = false
    /// How many loops were open where it was made.
    var loopDepth = 0
  }

  /// A local function that others may call.
  struct Helper {
    var name: String
    var parameters: [Kind]
    var results: [Kind]
    /// Whether it has no loop, so that loops may call it.
    var isShort: Bool
  }

  /// What the statement at hand stands in.
  struct Context {
    /// What `return` gives here.
    var results: [Kind]
    var canBreak = false
    /// The label of the innermost loop's `goto continue`; nil where there is none.
    var continueLabel: String?
  }

  var random: SeededGenerator
  var variables: [Variable] = []
  var helpers: [Helper] = []
  /// How many loops the statement at hand stands in.
  private(set) var loopDepth = 0
  /// Whether the function at hand has a loop, or calls one that has.
  private var hasLoop = false
  private var nameCount = 0
  /// How many more statements may be written.
  private var budget = 0

  init(seed: UInt64) {
    random = SeededGenerator(seed: seed)
  }

  /// A text that defines `local function f(a, b, c)`.
  mutating func script() -> String {
    (variables, helpers, nameCount) = ([], [], 0)
    var lines = Self.constants
    for _ in 0..<below(4) { lines += helper() }
    let kind = pick([Kind.integer, .integer, .maybe, .any, .boolean])
    lines += function("f", ["a", "b", "c"], [.integer, .integer, .integer], [kind], size: 4 + below(14))
    return lines.joined(separator: "\n")
  }

  /// Variables of the script that the functions use; they are constants in a probe.
  private static let constants = [
    "local K1, K2, KS, KB, KN, KL = 5, -3, 'abc', true, nil, math.mininteger",
    "local KT = { x = 7, y = 'abc', n = { z = -1, s = 'q' }, 10, 20, 30 }",
  ]

  // MARK: Functions

  private mutating func helper() -> [String] {
    let parameters = (0..<below(4)).map { _ in pick([Kind.integer, .integer, .maybe, .any, .boolean]) }
    let results = (0..<pick([0, 1, 1, 1, 2, 3])).map { _ in pick([Kind.integer, .integer, .maybe, .any, .boolean]) }
    let names = parameters.map { _ in newName("p") }
    let name = newName("h")
    let lines = function(name, names, parameters, results, size: 1 + below(6))
    helpers.append(Helper(name: name, parameters: parameters, results: results, isShort: !hasLoop))
    return lines
  }

  /// The helpers that may be called here: in a loop only those that have none, so that all ends soon.
  var callable: [Helper] { loopDepth == 0 ? helpers : helpers.filter(\.isShort) }

  mutating func noteLoop() { hasLoop = true }

  private mutating func function(
    _ name: String, _ parameters: [String], _ kinds: [Kind], _ results: [Kind], size: Int
  ) -> [String] {
    (budget, hasLoop) = (size, false)
    variables = zip(parameters, kinds).map { Variable(name: $0, kind: $1) }
    let context = Context(results: results)
    var lines = ["local function \(name)(\(parameters.joined(separator: ", ")))"]
    while budget > 0 { lines += indented(statement(context, depth: 0)) }
    lines.append("  " + ret(context))
    variables = []
    return lines + ["end"]
  }

  mutating func ret(_ context: Context) -> String {
    if context.results.count == 1, oneIn(6), let call = tailCall(context.results[0]) {
      return "return \(call)"
    }
    return context.results.isEmpty
      ? "return" : "return " + context.results.map { expression($0, 3) }.joined(separator: ", ")
  }

  private mutating func tailCall(_ kind: Kind) -> String? {
    let fitting = callable.filter { $0.results == [kind] }
    return fitting.isEmpty ? nil : call(pick(fitting))
  }

  // MARK: Statements

  /// A block of its own: what it declares is gone behind it.
  private mutating func block(_ context: Context, depth: Int, most: Int = 3) -> [String] {
    let known = variables
    defer { variables = known }
    var lines: [String] = []
    for _ in 0..<1 + below(most) { lines += statement(context, depth: depth + 1) }
    return indented(lines)
  }

  private mutating func statement(_ context: Context, depth: Int) -> [String] {
    budget -= 1
    let isDeep = depth > 4 || budget < -20
    switch below(isDeep ? 10 : 22) {
    case 0...2: return [declaration(context)]
    case 3...6: return [assignment(context)]
    case 7: return [tableStatement(context)]
    case 8: return [callStatement(context)]
    case 9: return [leaving(context)]
    case 10...13: return branches(context, depth)
    case 14: return ["do"] + block(context, depth: depth) + ["end"]
    case 15 where loopDepth < 3: return backwardGoto(context, depth)
    case 16 where loopDepth < 3: return forwardGoto(context, depth)
    case 17...21 where loopDepth < 3: return loop(context, depth)
    default: return [assignment(context)]
    }
  }

  private mutating func declaration(_ context: Context) -> String {
    let kinds = (0..<pick([1, 1, 1, 2, 3])).map { _ in pick(Kind.allCases + [.integer, .integer, .any]) }
    let values = kinds.map { expression($0, 3) }
    // A counter that is hidden would let its loop run for ever.
    let hidable = variables.filter { !$0.isFixed }
    let names = kinds.map { _ in oneIn(8) && !hidable.isEmpty ? pick(hidable).name : newName("v") }
    guard Set(names).count == names.count else { return "local _ = \(values[0])" }
    for (name, kind) in zip(names, kinds) {
      variables.removeAll { $0.name == name }
      variables.append(Variable(name: name, kind: kind, loopDepth: loopDepth))
    }
    return "local \(names.joined(separator: ", ")) = \(values.joined(separator: ", "))"
  }

  private mutating func assignment(_ context: Context) -> String {
    let targets = variables.filter { !$0.isFixed && $0.kind != .record && $0.kind != .tuple }
    guard !targets.isEmpty else { return declaration(context) }
    let count = min(pick([1, 1, 1, 2, 2, 3]), targets.count)
    let chosen = Array(targets.shuffled(using: &random)[..<count])
    let values = chosen.map { expression($0.kind, 3) }
    return "\(chosen.map(\.name).joined(separator: ", ")) = \(values.joined(separator: ", "))"
  }

  private mutating func tableStatement(_ context: Context) -> String {
    let tables = variables.filter { $0.kind == .record || $0.kind == .tuple }
    guard let table = tables.randomElement(using: &random) else { return declaration(context) }
    if table.kind == .tuple { return "\(table.name)[\(1 + below(3))] = \(expression(.integer, 2))" }
    return oneIn(2) ? "\(table.name).x = \(expression(.integer, 2))" : "\(table.name).y = \(expression(.any, 2))"
  }

  private mutating func callStatement(_ context: Context) -> String {
    guard let helper = callable.randomElement(using: &random) else { return assignment(context) }
    let call = call(helper)
    guard !helper.results.isEmpty, !oneIn(4) else { return call }
    let names = helper.results.map { _ in newName("v") }
    for (name, kind) in zip(names, helper.results) {
      variables.append(Variable(name: name, kind: kind, loopDepth: loopDepth))
    }
    return "local \(names.joined(separator: ", ")) = \(call)"
  }

  /// A way out of the block, mostly under a condition.
  private mutating func leaving(_ context: Context) -> String {
    var ways = [ret(context)]
    if context.canBreak { ways += ["break", "break"] }
    if let label = context.continueLabel { ways += ["goto \(label)", "goto \(label)"] }
    let way = pick(ways)
    return oneIn(12) ? "do \(way) end" : "if \(expression(.boolean, 2)) then \(way) end"
  }

  private mutating func branches(_ context: Context, _ depth: Int) -> [String] {
    var lines = ["if \(condition()) then"] + block(context, depth: depth)
    for _ in 0..<pick([0, 0, 0, 1, 2]) {
      lines += ["elseif \(condition()) then"] + block(context, depth: depth)
    }
    if oneIn(2) { lines += ["else"] + block(context, depth: depth) }
    return lines + ["end"]
  }

  // MARK: Loops

  private mutating func loop(_ context: Context, _ depth: Int) -> [String] {
    var inner = context
    inner.canBreak = true
    inner.continueLabel = oneIn(2) ? newName("continue") : nil
    let known = variables
    (loopDepth, hasLoop) = (loopDepth + 1, true)
    defer { (variables, loopDepth) = (known, loopDepth - 1) }
    switch below(5) {
    case 0: return whileLoop(inner, depth)
    case 1: return repeatLoop(inner, depth)
    default:
      let index = newName("i")
      let head = forHead(index)
      variables.append(Variable(name: index, kind: .integer, isFixed: !oneIn(8), loopDepth: loopDepth))
      return [head] + loopBody(inner, depth) + ["end"]
    }
  }

  private mutating func loopBody(_ context: Context, _ depth: Int) -> [String] {
    var lines = block(context, depth: depth, most: 4)
    guard let label = context.continueLabel else { return lines }
    lines = ["  do"] + indented(lines) + ["  end", "  ::\(label)::"]
    return lines
  }

  private mutating func forHead(_ index: String) -> String {
    let start = expression(.integer, 1)
    switch below(8) {
    case 0: return "for \(index) = 1, \(below(7)) do"
    case 1: return "for \(index) = \(below(9) - 4), \(below(7)) do"
    case 2: return "for \(index) = \(below(9)), \(below(7) - 4), -\(1 + below(3)) do"
    case 3: return "for \(index) = 1, \(start) & 7 do"
    case 4: return "for \(index) = (\(start)) & 15, 0, -\(1 + below(4)) do"
    case 5: return "for \(index) = math.maxinteger - \(below(4)), math.maxinteger, \(1 + below(3)) do"
    case 6: return "for \(index) = math.mininteger + \(below(4)), math.mininteger, -1 do"
    default: return "for \(index) = (\(start)) >> 1, ((\(start)) >> 1) + \(below(6)), \(1 + below(2)) do"
    }
  }

  private mutating func whileLoop(_ context: Context, _ depth: Int) -> [String] {
    let counter = newName("n")
    variables.append(Variable(name: counter, kind: .integer, isFixed: true, loopDepth: loopDepth - 1))
    let extra = oneIn(2) ? " and \(expression(.boolean, 2))" : ""
    let head = ["local \(counter) = \(below(7))", "while \(counter) > 0\(extra) do", "  \(counter) = \(counter) - 1"]
    return ["do"] + indented(head + loopBody(context, depth) + ["end"]) + ["end"]
  }

  private mutating func repeatLoop(_ context: Context, _ depth: Int) -> [String] {
    let counter = newName("n")
    variables.append(Variable(name: counter, kind: .integer, isFixed: true, loopDepth: loopDepth - 1))
    let head = ["local \(counter) = \(below(7))", "repeat", "  \(counter) = \(counter) - 1"]
    let body = loopBody(context, depth)
    let extra = oneIn(2) ? " or \(expression(.boolean, 2))" : ""
    return ["do"] + indented(head + body + ["until \(counter) < 0\(extra)"]) + ["end"]
  }

  private mutating func backwardGoto(_ context: Context, _ depth: Int) -> [String] {
    let (counter, label) = (newName("n"), newName("again"))
    let known = variables
    (loopDepth, hasLoop) = (loopDepth + 1, true)
    defer { (variables, loopDepth) = (known, loopDepth - 1) }
    variables.append(Variable(name: counter, kind: .integer, isFixed: true, loopDepth: loopDepth - 1))
    let head = ["local \(counter) = \(below(6))", "::\(label)::", "\(counter) = \(counter) - 1", "do"]
    let body = block(context, depth: depth)
    let again = "if \(counter) > 0 and \(expression(.boolean, 1)) then goto \(label) end"
    return ["do"] + indented(head + body + ["end", again]) + ["end"]
  }

  private mutating func forwardGoto(_ context: Context, _ depth: Int) -> [String] {
    let label = newName("past")
    let skip = "if \(expression(.boolean, 2)) then goto \(label) end"
    return ["do", "  " + skip, "  do"] + indented(block(context, depth: depth)) + ["  end", "  ::\(label)::", "end"]
  }

  // MARK: Choosing

  mutating func below(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }
  mutating func oneIn(_ count: Int) -> Bool { below(count) == 0 }
  mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }

  mutating func newName(_ prefix: String) -> String {
    nameCount += 1
    return "\(prefix)\(nameCount)"
  }

  private func indented(_ lines: [String]) -> [String] { lines.map { "  " + $0 } }
}
