import BPFAssembly

/// Which slots have all their bytes written wherever something reads them. Before Linux 6.3 the kernel refuses a program
/// that lets a helper read bytes of the stack which it hasn't written.
struct InitializedSlots {
  /// Larger slots are not looked at: one bit of a word's set stands for 8 bytes.
  static let largest: Int32 = 8 * 64

  private let slot: SlotID
  private let size: Int32
  private var written: UInt64 = 0
  private var isRead = true

  /// Whether all that reads the slot in `function`, which is the only one to use it, finds it written as a whole.
  static func areAllRead(_ slot: SlotID, size: Int32, in function: IRFunction) -> Bool {
    guard size % 8 == 0, size <= largest else { return false }
    var pass = InitializedSlots(slot: slot, size: size)
    return pass.run(function)
  }

  private init(slot: SlotID, size: Int32) {
    self.slot = slot
    self.size = size
  }

  private mutating func run(_ function: IRFunction) -> Bool {
    let graph = FlowGraph(function)
    var ends = Array(repeating: UInt64(0), count: function.blocks.count)
    for (number, block) in function.blocks.enumerated() where graph.isReached[number] {
      written = number == 0 ? 0 : graph.edges(into: number).reduce(.max) { $0 & ends[$1.from] }
      for instruction in block.instructions { look(instruction.operation) }
      block.terminator.forEachOperand { operand in if operand.slot == slot { isRead = false } }
      ends[number] = written
    }
    return isRead
  }

  private mutating func look(_ operation: IROperation) {
    switch operation {
    case .store(.slot(slot, let start), let offset, .double, let value) where value.slot != slot:
      write(start + offset, 8)
    case .call(let helper, let arguments) where helper.writesItsFirstArgument:
      if case .slot(slot, let start)? = arguments[0] { write(start, Int32(arguments[1]?.constant ?? 0)) }
      for argument in arguments.dropFirst() { read(argument) }
    default: operation.forEachOperand { read($0) }
    }
  }

  /// Only words that are written as a whole count.
  private mutating func write(_ start: Int32, _ length: Int32) {
    for word in (start + 7) / 8..<max((start + 7) / 8, (start + length) / 8) { written |= 1 << UInt64(word) }
  }

  private mutating func read(_ operand: IROperand) {
    guard operand.slot == slot else { return }
    let all = size == Self.largest ? UInt64.max : 1 << UInt64(size / 8) - 1
    if written & all != all { isRead = false }
  }
}

extension Helper {
  /// Whether it fills the memory at its first argument, of as many bytes as the second one says.
  fileprivate var writesItsFirstArgument: Bool {
    switch self {
    case .probeReadKernel, .probeReadUser, .probeReadKernelStr, .probeReadUserStr, .getCurrentComm: true
    default: false
    }
  }
}
