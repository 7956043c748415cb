import BPFAssembly

/// Arithmetic with two operands.
extension ValueKnowledge {
  func simplifiedBinary(_ operation: ALU, _ left: IROperand, _ right: IROperand) -> Simplified? {
    if let first = left.constant, let second = right.constant {
      return .operand(.constant(Arithmetic.binary(operation, first, second)))
    }
    if left == .constant(0), Self.keepsZero.contains(operation) { return .operand(left) }
    if left.constant != nil, operation.isCommutative { return .operation(.binary(operation, right, left)) }
    if left == right, let same = withItself(operation, left) { return same }
    guard let constant = right.constant else { return withNegation(operation, left, right) }
    return withConstant(operation, left, constant) ?? joined(operation, left, constant)
  }

  /// What makes 0 of 0, whatever comes second.
  private static let keepsZero: [ALU] = [.div, .mod, .lsh, .rsh, .arsh]

  private func withItself(_ operation: ALU, _ operand: IROperand) -> Simplified? {
    switch operation {
    case .sub, .xor: .operand(.constant(0))
    case .and, .or: .operand(operand)
    default: nil
    }
  }

  /// `a + -b` and `a - -b`.
  private func withNegation(_ operation: ALU, _ left: IROperand, _ right: IROperand) -> Simplified? {
    guard case .negate(let inner) = self.operation(right), isNumber(left) else { return nil }
    switch operation {
    case .add: return .operation(.binary(.sub, left, inner))
    case .sub: return .operation(.binary(.add, left, inner))
    default: return nil
    }
  }

  private func withConstant(_ operation: ALU, _ left: IROperand, _ constant: Int64) -> Simplified? {
    switch (operation, constant) {
    case (.add, 0), (.or, 0), (.xor, 0), (.lsh, 0), (.rsh, 0), (.arsh, 0), (.mul, 1), (.div, 1), (.and, -1):
      return .operand(left)
    case (.mul, 0), (.and, 0), (.mod, 1), (.div, 0): return .operand(.constant(0))
    case (.mod, 0): return .operand(left)
    case (.or, -1): return .operand(.constant(-1))
    case (.mul, -1): return .operation(.negate(left))
    case (.and, 0xffff_ffff): return .operation(.extend(left, .word, signed: false))
    case (.sub, _): return .operation(.binary(.add, left, .constant(0 &- constant)))
    case (.add, _): return shiftedSlot(left, constant)
    case (.mul, _): return powerOfTwo(constant).map { .operation(.binary(.lsh, left, .constant($0))) }
    case (.div, _): return powerOfTwo(constant).map { .operation(.binary(.rsh, left, .constant($0))) }
    case (.mod, _): return powerOfTwo(constant).map { _ in .operation(.binary(.and, left, .constant(constant &- 1))) }
    case (.and, _): return keepsAll(left, constant) ? .operand(left) : nil
    case (.rsh, _), (.arsh, _): return shiftedOut(operation, left, constant)
    default: return nil
    }
  }

  private func powerOfTwo(_ constant: Int64) -> Int64? {
    constant.nonzeroBitCount == 1 ? Int64(constant.trailingZeroBitCount) : nil
  }

  /// Whether the mask has all bits that the operand may have.
  private func keepsAll(_ operand: IROperand, _ mask: Int64) -> Bool {
    let width = width(operand)
    return width < 64 && ~mask & (Int64(1) << Int64(width) &- 1) == 0
  }

  private func shiftedOut(_ operation: ALU, _ left: IROperand, _ count: Int64) -> Simplified? {
    let width = width(left)
    if width < 64, count >= Int64(width) { return .operand(.constant(0)) }
    return operation == .arsh && width < 64 ? .operation(.binary(.rsh, left, .constant(count))) : nil
  }

  private func shiftedSlot(_ left: IROperand, _ distance: Int64) -> Simplified? {
    guard case .slot(let slot, let offset) = left, let sum = Int32(exactly: Int64(offset) &+ distance), sum >= 0
    else { return nil }
    return .operand(.slot(slot, sum))
  }

  /// `(a OP b) OP c` with constants `b` and `c` as one operation.
  private func joined(_ operation: ALU, _ left: IROperand, _ constant: Int64) -> Simplified? {
    guard case .binary(operation, let inner, .constant(let first)) = self.operation(left) else { return nil }
    switch operation {
    case .add, .mul, .and, .or, .xor:
      return .operation(.binary(operation, inner, .constant(Arithmetic.binary(operation, first, constant))))
    case .lsh, .rsh, .arsh:
      let count = first &+ constant
      if count < 64 { return .operation(.binary(operation, inner, .constant(count))) }
      return operation == .arsh ? .operation(.binary(.arsh, inner, .constant(63))) : .operand(.constant(0))
    default: return nil
    }
  }
}
