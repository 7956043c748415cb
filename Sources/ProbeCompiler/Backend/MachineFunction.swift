import BPFAssembly

/// A function as BPF instructions, still with any number of registers and without the moves between them.
struct MachineFunction {
  /// In an order in which each stands before those it leads to; the first is the entry.
  var blocks: [MachineBlock] = []
  /// How many virtual registers exist.
  var registerCount = 0
  /// How many bytes of the stack frame are taken.
  var frameSize: Int32 = 0
  /// The registers that the kernel hands over at the entry, and where the function keeps them.
  var entries: [(register: Register, result: VirtualRegister)] = []

  mutating func newRegister() -> VirtualRegister {
    defer { registerCount += 1 }
    return VirtualRegister(number: Int32(registerCount))
  }
}

/// What becomes a register or a place on the stack; written once.
struct VirtualRegister: Hashable {
  var number: Int32
  var index: Int { Int(number) }
}

struct MachineBlock {
  var parameters: [VirtualRegister] = []
  var instructions: [MachineInstruction] = []
  var terminator: MachineTerminator = .exit(.immediate(0))
  var place: UInt32 = 0
  var isCold = false
  /// Whether it only passes the arguments of one branch's target.
  var isEdge = false
}

struct MachineInstruction {
  var result: VirtualRegister?
  var operation: MachineOperation
  var place: UInt32 = 0
}

/// The second operand of arithmetic, comparisons and stores.
enum MachineSource {
  case register(VirtualRegister)
  case immediate(Int32)
}

/// What an address counts from.
enum MachineBase {
  case frame
  case register(VirtualRegister)
}

/// What is put into a given register: an argument of a helper or a block, a result of a function.
enum MachineArgument {
  case register(VirtualRegister)
  case immediate(Int64)
  /// The frame pointer plus this.
  case frame(Int32)
  /// An address plus this.
  case offset(VirtualRegister, Int32)
  case map(MapReference)
  case mapValue(MapReference, Int32)
  case function(FunctionID)
  /// The 8 bytes at this distance from the frame pointer.
  case spilled(Int32)
}

enum MachineOperation {
  /// The result becomes this.
  case set(MachineArgument)
  case binary(ALU, VirtualRegister, MachineSource)
  case negate(VirtualRegister)
  /// Negates twice: the verifier takes what comes out for a number.
  case number(VirtualRegister)
  case zeroExtendWord(VirtualRegister)
  case signExtend(VirtualRegister, Width)
  case swapBytes(VirtualRegister, Width)
  case compare(Condition, VirtualRegister, MachineSource)
  case load(MachineBase, Int16, Width, signed: Bool)
  case store(MachineBase, Int16, Width, MachineSource)
  case atomic(Atomic, MachineBase, Int16, VirtualRegister)
  /// What is expected comes in r0.
  case compareExchange(MachineBase, Int16, VirtualRegister, expected: VirtualRegister)
  case call(Helper, CallArguments<MachineArgument>)
}

/// Only jumps pass arguments: blocks on the edges of branches see to that.
enum MachineTerminator {
  case jump(Int, [MachineArgument])
  case branch(Condition, VirtualRegister, MachineSource, Int, Int)
  case exit(MachineArgument)
}

extension MachineSource {
  var register: VirtualRegister? {
    if case .register(let register) = self { register } else { nil }
  }
}

extension MachineBase {
  var register: VirtualRegister? {
    if case .register(let register) = self { register } else { nil }
  }
}

extension MachineArgument {
  var register: VirtualRegister? {
    switch self {
    case .register(let register), .offset(let register, _): register
    default: nil
    }
  }
}
