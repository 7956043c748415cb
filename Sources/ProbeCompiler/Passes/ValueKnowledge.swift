import BPFAssembly

/// What is known about the values of a function: how they are made, and how large they can be.
struct ValueKnowledge {
  /// By value, the operation that makes it; nil for parameters.
  private(set) var operations: [IROperation?]
  /// By value, how many low bits may be other than 0 as far as the verifier can tell too: a limit that is left out
  /// because of them is one that it does not miss. So quotients and swapped bytes have all bits.
  private(set) var widths: [UInt8]

  init(valueCount: Int32) {
    operations = Array(repeating: nil, count: Int(valueCount))
    widths = Array(repeating: 64, count: Int(valueCount))
  }

  /// Makes room for a parameter that a pass has added.
  mutating func addParameter() {
    operations.append(nil)
    widths.append(64)
  }

  mutating func learn(_ value: ValueID, _ operation: IROperation) {
    operations[value.index] = operation
    widths[value.index] = width(of: operation)
  }

  mutating func learn(_ parameter: ValueID, width: UInt8) {
    widths[parameter.index] = width
  }

  func operation(_ operand: IROperand) -> IROperation? {
    operand.valueNumber.flatMap { operations[$0] }
  }

  /// How many low bits of an operand may be other than 0.
  func width(_ operand: IROperand) -> UInt8 {
    switch operand {
    case .value(let value): widths[value.index]
    case .constant(let constant): UInt8(64 - constant.leadingZeroBitCount)
    case .slot, .map, .mapValue: 64
    }
  }

  private func width(of operation: IROperation) -> UInt8 {
    switch operation {
    case .compare: 1
    case .load(_, _, let width, false): UInt8(width.bytes * 8)
    case .extend(let operand, let width, false): min(self.width(operand), UInt8(width.bytes * 8))
    case .binary(.and, let left, let right): min(width(left), width(right))
    case .binary(.or, let left, let right), .binary(.xor, let left, let right): max(width(left), width(right))
    case .binary(.rsh, let left, .constant(let count)): UInt8(max(0, Int64(width(left)) - (count & 63)))
    default: 64
    }
  }

  /// Whether the operand is certainly a number, not an address.
  func isNumber(_ operand: IROperand) -> Bool {
    if operand.constant != nil { return true }
    switch operation(operand) {
    case .number, .compare, .extend, .swapBytes, .negate, .iteration: return true
    default: return width(operand) < 64
    }
  }
}
