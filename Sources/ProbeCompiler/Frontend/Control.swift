import BPFAssembly
import Support

// Branches that the compiler makes itself, and the ends of a run.
extension Frontend {
  /// Compiles `body` for the case that the condition does not hold; `body` ends the run.
  mutating func unless(
    _ condition: Condition, _ left: IROperand, _ right: IROperand,
    _ body: (inout Frontend) throws(MoontraceError) -> Void
  ) throws(MoontraceError) {
    if case .constant(let a) = left, case .constant(let b) = right {
      return Arithmetic.holds(condition, a, b) ? () : try body(&self)
    }
    let wasReachable = isReachable
    let bad = builder.newBlock(isCold: true)
    let good = builder.newBlock()
    builder.branch(condition, left, right, good, bad)
    builder.move(to: bad)
    let before = state
    try body(&self)
    state = before
    builder.move(to: good)
    isReachable = wasReachable
  }

  /// Compiles `body` for the case that the condition holds; then ways meet again. `body` changes no variable.
  mutating func onlyIf(
    _ condition: Condition, _ left: IROperand, _ right: IROperand,
    _ body: (inout Frontend) throws(MoontraceError) -> Void
  ) throws(MoontraceError) {
    if case .constant(let a) = left, case .constant(let b) = right {
      if Arithmetic.holds(condition, a, b) { try body(&self) }
      return
    }
    let yes = builder.newBlock()
    let (start, wasReachable) = (builder.block, isReachable)
    let before = state
    builder.move(to: yes)
    try body(&self)
    state = before
    let end = builder.block
    let after = builder.newBlock()
    builder.move(to: end)
    if isReachable { builder.jump(to: after) }
    isReachable = wasReachable
    builder.move(to: start)
    builder.branch(condition, left, right, yes, after)
    builder.move(to: after)
  }

  /// One of two numbers.
  mutating func select(
    _ condition: Condition, _ left: IROperand, _ right: IROperand, _ yes: IROperand, _ no: IROperand
  ) -> IROperand {
    if case .constant(let a) = left, case .constant(let b) = right {
      return Arithmetic.holds(condition, a, b) ? yes : no
    }
    let (one, other) = (builder.newBlock(), builder.newBlock())
    builder.branch(condition, left, right, one, other)
    let after = builder.newBlock()
    let result = builder.newParameter(of: after)
    builder.move(to: one)
    builder.jump(to: after, [yes])
    builder.move(to: other)
    builder.jump(to: after, [no])
    builder.move(to: after)
    return .value(result)
  }

  /// The line of the script that is being compiled.
  private var line: Int { frame.prototype.line(at: pc) ?? frame.prototype.lineDefined }

  /// The same with its file.
  var place: String { "\(frame.prototype.sourceName):\(line)" }

  /// Ends the run with an error of Lua's, which is counted.
  mutating func fail(_ message: String) {
    let place = ProbeSchema.FailurePlace(source: frame.prototype.sourceName, line: line, message: message)
    builder.perform(.atomic(.add, failureCounter(place), 0, .constant(1), expected: nil))
    finishRun()
  }

  /// Where the runs that end at a place are counted.
  mutating func failureCounter(_ place: ProbeSchema.FailurePlace) -> IROperand {
    let index = schema.failures.firstIndex(of: place) ?? schema.failures.count
    if index == schema.failures.count { schema.failures.append(place) }
    return .mapValue(builder.reference(.counters), Int32(index * 8))
  }

  /// Ends the run. What is written behind it goes to a block that nothing leads to.
  mutating func finishRun() {
    if let outcome = loopOutcomes.last {
      builder.store(.slot(outcome, 0), 0, .constant(Self.runEnded))
      builder.exit(.constant(1))
    } else {
      builder.exit(.constant(0))
    }
    builder.move(to: builder.newBlock())
    isReachable = false
  }
}
