import BPFAssembly

/// What an operation may be replaced by.
enum Simplified {
  case operand(IROperand)
  case operation(IROperation)
}

/// Replaces operations by simpler ones that give the same, one step at a time.
extension ValueKnowledge {
  /// Something simpler than the operation; nil when there is nothing.
  func simplified(_ operation: IROperation) -> Simplified? {
    switch operation {
    case .binary(let operation, let left, let right): simplifiedBinary(operation, left, right)
    case .negate(let operand): simplifiedNegation(operand)
    case .extend(let operand, let width, let signed): simplifiedExtension(operand, width, signed)
    case .swapBytes(.constant(let constant), let width): .operand(.constant(Arithmetic.swapBytes(constant, width)))
    case .compare(let condition, let left, let right): simplifiedComparison(condition, left, right)
    case .number(let operand): isNumber(operand) ? .operand(operand) : nil
    case .load(let address, let offset, let width, let signed):
      nearer(address, offset).map { .operation(.load($0, $1, width, signed: signed)) }
    case .store(let address, let offset, let width, let value):
      nearer(address, offset).map { .operation(.store($0, $1, width, value)) }
        ?? untruncated(value, width).map { .operation(.store(address, offset, width, $0)) }
    case .atomic(let operation, let address, let offset, let operand, let expected):
      nearer(address, offset).map { .operation(.atomic(operation, $0, $1, operand, expected: expected)) }
    default: nil
    }
  }

  /// The address that another one adds a constant to, and what that makes of the offset.
  private func nearer(_ address: IROperand, _ offset: Int32) -> (IROperand, Int32)? {
    guard case .binary(.add, let base, .constant(let distance)) = operation(address), base.constant == nil,
      let sum = Int16(exactly: Int64(offset).addingReportingOverflow(distance).partialValue)
    else { return nil }
    return (base, Int32(sum))
  }

  /// What a value is made of that only differs above the bits that a store writes.
  private func untruncated(_ value: IROperand, _ width: Width) -> IROperand? {
    switch operation(value) {
    case .extend(let inner, let other, _) where other.bytes >= width.bytes: return inner
    case .binary(.and, let inner, .constant(let mask)):
      return Arithmetic.extend(mask, width, signed: true) == -1 ? inner : nil
    default: return nil
    }
  }

  private func simplifiedNegation(_ operand: IROperand) -> Simplified? {
    if let constant = operand.constant { return .operand(.constant(0 &- constant)) }
    if case .negate(let inner) = operation(operand), isNumber(inner) { return .operand(inner) }
    return nil
  }

  private func simplifiedExtension(_ operand: IROperand, _ width: Width, _ signed: Bool) -> Simplified? {
    if let constant = operand.constant {
      return .operand(.constant(Arithmetic.extend(constant, width, signed: signed)))
    }
    let bits = width.bytes * 8
    if bits == 64 || self.width(operand) < bits || (!signed && self.width(operand) == bits) { return .operand(operand) }
    // Of an operand that only changes bits further up, what it is made of will do.
    if case .extend(let inner, let other, _) = operation(operand), other.bytes >= width.bytes {
      return .operation(.extend(inner, width, signed: signed))
    }
    switch operation(operand) {
    case .load(_, _, let other, true) where signed && other.bytes <= width.bytes: return .operand(operand)
    case .swapBytes(_, let other) where !signed && other.bytes <= width.bytes: return .operand(operand)
    default: return nil
    }
  }

  private func simplifiedComparison(_ condition: Condition, _ left: IROperand, _ right: IROperand) -> Simplified? {
    if let known = outcome(condition, left, right) { return .operand(.constant(known ? 1 : 0)) }
    guard let (newCondition, newLeft, newRight) = simplerTest(condition, left, right) else { return nil }
    // A test of 0 or 1 is the number itself.
    if newCondition == .ne, newRight == .constant(0), width(newLeft) <= 1 { return .operand(newLeft) }
    return .operation(.compare(newCondition, newLeft, newRight))
  }
}
