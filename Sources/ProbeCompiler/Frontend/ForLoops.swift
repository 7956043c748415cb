import BPFAssembly
import LuaBytecode
import Support

// The numeric for, as Lua's own machine does it: the number of iterations is known before the first.
extension Frontend {
  /// Register A becomes the index, A + 1 how many iterations follow the first.
  mutating func runForPrep(_ i: LuaInstruction) throws(MoontraceError) -> [(target: Int, edge: Edge)] {
    let names = ["initial", "limit", "step"]
    var numbers: [IROperand] = []
    for (index, name) in names.enumerated() {
      numbers.append(try number(state.registers[i.a + index]) { _ in "'for' \(name) value must be a number" })
    }
    guard isReachable else { return [] }
    let (start, limit, step) = (numbers[0], numbers[1], numbers[2])
    try unless(.ne, step, .constant(0)) { frontend throws(MoontraceError) in frontend.fail("'for' step is zero") }
    guard isReachable else { return [] }
    // Downwards, both are mirrored: the distance is a number without sign, up to 2^64 - 1.
    let up = builder.binary(.sub, limit, start)
    let distance = select(.sgt, step, .constant(0), up, builder.negate(up))
    let stride = select(.sgt, step, .constant(0), step, builder.negate(step))
    let count = stride == .constant(1) ? distance : builder.binary(.div, distance, stride)
    for (offset, operand) in [start, count, step, start].enumerated() {
      state.registers[i.a + offset] = .number(operand)
    }
    let (first, last) = (select(.sgt, step, .constant(0), start, limit), select(.sgt, step, .constant(0), limit, start))
    return branch(.sle, first, last, yes: pc + 1, no: i.target(at: pc) ?? pc + 1)
  }

  mutating func runForLoop(_ i: LuaInstruction) throws(MoontraceError) -> [(target: Int, edge: Edge)] {
    guard let index = state.registers[i.a].number, let count = state.registers[i.a + 1].number,
      let step = plain(state.registers[i.a + 2]).number
    else { throw refusal("this loop's variables can't be followed") }
    let next = builder.binary(.add, index, step)
    var again = here
    again.state.registers[i.a] = .number(next)
    again.state.registers[i.a + 1] = .number(builder.binary(.sub, count, .constant(1)))
    again.state.registers[i.a + 3] = .number(next)
    let body = i.target(at: pc) ?? pc + 1
    let before = state
    var leaving = branch(.ne, count, .constant(0), yes: body, no: pc + 1)
    for position in leaving.indices {
      leaving[position].edge.state = leaving[position].target == body ? again.state : before
    }
    return leaving
  }

  private mutating func branch(
    _ condition: Condition, _ left: IROperand, _ right: IROperand, yes: Int, no: Int
  ) -> [(target: Int, edge: Edge)] {
    if case .constant(let a) = left, case .constant(let b) = right {
      return [(Arithmetic.holds(condition, a, b) ? yes : no, here)]
    }
    let (one, other) = (builder.newBlock(), builder.newBlock())
    builder.branch(condition, left, right, one, other)
    return [(yes, Edge(block: one, state: state)), (no, Edge(block: other, state: state))]
  }
}
