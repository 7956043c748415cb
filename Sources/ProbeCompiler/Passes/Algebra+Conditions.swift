import BPFAssembly

/// Conditions of comparisons and branches.
extension ValueKnowledge {
  /// Whether the condition holds; nil when that is not known.
  func outcome(_ condition: Condition, _ left: IROperand, _ right: IROperand) -> Bool? {
    if let first = left.constant, let second = right.constant { return Arithmetic.holds(condition, first, second) }
    if left == right, condition != .set { return Arithmetic.holds(condition, 0, 0) }
    // The address of memory is never 0.
    if left.constant == nil, left.valueNumber == nil, right == .constant(0) {
      switch condition {
      case .eq: return false
      case .ne: return true
      default: return nil
      }
    }
    guard let limit = right.constant else { return nil }
    return outcome(condition, width: width(left), limit)
  }

  /// What a number of so many bits makes of a comparison with a constant.
  private func outcome(_ condition: Condition, width: UInt8, _ limit: Int64) -> Bool? {
    if limit == 0, condition == .lt || condition == .set { return false }
    if limit == 0, condition == .ge { return true }
    guard width < 63 else { return nil }
    let largest = Int64(1) << Int64(width) - 1
    switch condition {
    case .eq where limit < 0 || limit > largest: return false
    case .ne where limit < 0 || limit > largest: return true
    case .sgt, .sle:
      if limit >= largest { return condition == .sle }
      if limit < 0 { return condition == .sgt }
    case .sge, .slt:
      if limit > largest { return condition == .slt }
      if limit <= 0 { return condition == .sge }
    case .gt, .le: if limit < 0 || limit >= largest { return condition == .le }
    case .ge, .lt: if limit < 0 || limit > largest { return condition == .lt }
    case .set: if limit & largest == 0 { return false }
    default: break
    }
    return nil
  }

  /// A test that is simpler and holds in the same cases; nil when there is none.
  func simplerTest(
    _ condition: Condition, _ left: IROperand, _ right: IROperand
  ) -> (Condition, IROperand, IROperand)? {
    if left.constant != nil, right.constant == nil { return (condition.swapped, right, left) }
    guard let limit = right.constant else { return nil }
    if condition == .set { return simplerBitTest(left, limit) }
    let isPositive = condition == .gt || (condition == .sgt && width(left) < 64)
    if isPositive, limit == 0 { return (.ne, left, .constant(0)) }
    guard condition == .eq || condition == .ne else { return nil }
    // Of what can only be 0 or one other number, 0 is asked for.
    if limit == onlyBit(of: left) { return (condition == .eq ? .ne : .eq, left, .constant(0)) }
    guard limit == 0 else { return nil }
    switch operation(left) {
    case .compare(let inner, let first, let second):
      if condition == .ne { return (inner, first, second) }
      return inner.negated.map { ($0, first, second) }
    case .binary(.sub, let first, let second), .binary(.xor, let first, let second): return (condition, first, second)
    case .binary(.and, let first, let second) where condition == .ne: return (.set, first, second)
    case .negate(let inner): return (condition, inner, right)
    default: return nil
    }
  }

  /// The only number other than 0 that an operand can be; nil when there are several, or when it is not known.
  private func onlyBit(of operand: IROperand) -> Int64? {
    if width(operand) <= 1 { return 1 }
    guard case .binary(.and, _, .constant(let mask)) = operation(operand), mask & (mask &- 1) == 0 else { return nil }
    return mask
  }

  /// A simpler test of whether one of the bits of `mask`, which is not 0, is set. Shifting a number down to its sign
  /// makes all bits the same.
  private func simplerBitTest(_ left: IROperand, _ mask: Int64) -> (Condition, IROperand, IROperand)? {
    if mask == -1 || (width(left) <= 1 && mask & 1 != 0) { return (.ne, left, .constant(0)) }
    switch operation(left) {
    case .binary(.arsh, let number, .constant(63)): return (.slt, number, .constant(0))
    case .binary(.xor, let sign, .constant(-1)):
      guard case .binary(.arsh, let number, .constant(63)) = operation(sign) else { return nil }
      return (.sge, number, .constant(0))
    case .binary(.and, let inner, .constant(let other)): return (.set, inner, .constant(mask & other))
    default: return nil
    }
  }

  /// The operands whose common bits make the number 0 when they have none.
  func bitTest(_ operand: IROperand) -> (IROperand, IROperand)? {
    switch operation(operand) {
    case .compare(.set, let left, let right), .binary(.and, let left, let right): (left, right)
    default: nil
    }
  }
}

extension Condition {
  /// What follows for `query` from this condition on the same operands: true, false, or nil when either may be.
  func implies(_ query: Condition) -> Bool? {
    if self == query { return true }
    guard self != .set, query != .set, isSigned == nil || query.isSigned == nil || isSigned == query.isSigned else {
      return nil
    }
    if outcomes & ~query.outcomes == 0 { return true }
    return outcomes & query.outcomes == 0 ? false : nil
  }

  /// Which orders of the operands it holds for: 1 less, 2 equal, 4 greater.
  private var outcomes: UInt8 {
    switch self {
    case .eq: 2
    case .ne: 5
    case .gt, .sgt: 4
    case .ge, .sge: 6
    case .lt, .slt: 1
    case .le, .sle: 3
    case .set: 7
    }
  }

  /// Whether the order is that of signed numbers; nil where that makes no difference.
  private var isSigned: Bool? {
    switch self {
    case .eq, .ne, .set: nil
    case .gt, .ge, .lt, .le: false
    case .sgt, .sge, .slt, .sle: true
    }
  }
}
