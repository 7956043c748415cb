import BPFAssembly

/// A probe between Lua and BPF: functions in single-assignment form whose blocks form no cycle.
///
/// Function 0 is the probe. The others are bodies of loops, which the kernel calls once an iteration (`bpf_loop`):
/// loops are never cycles of blocks, so the verifier looks at each body once, whatever the number of iterations.
struct IRProgram: Equatable {
  var functions: [IRFunction]
  /// Memory, by `SlotID`; any function may use any slot.
  var slots: [IRSlot] = []
  /// The per-CPU array with one value, for memory that has no room on the stack.
  var scratch: MapReference
  /// Set where a task may be interrupted in the middle of a run, and another run start on the same CPU.
  var sharing: ScratchSharing?
  /// How many bytes of it the program needs; set by `PlaceMemory`.
  var scratchSize: Int32 = 0
}

/// Scratch that runs on one CPU take from each other: the array has several values, and a run claims one.
struct ScratchSharing: Equatable {
  /// How many values the array has.
  static let copies = 4
  /// Counts the runs that found none free, and ended there.
  var busy: IROperand
}

/// One function: blocks in an order in which each stands before those that it leads to. Block 0 is the entry.
struct IRFunction: Equatable {
  var blocks: [IRBlock] = []
  /// How many values exist; they are numbered from 0.
  var valueCount: Int32 = 0
  /// The address of scratch, when the function uses it; set by `PlaceMemory`.
  var scratchBase: ValueID?
  /// Where that address lies for the loop bodies that the function calls; set by `PlaceMemory`.
  var handover: SlotID?

  mutating func newValue() -> ValueID {
    defer { valueCount += 1 }
    return ValueID(number: valueCount)
  }
}

/// A 64-bit value, made once by an instruction or handed to a block.
struct ValueID: Hashable { var number: Int32 }
/// A block of the function at hand, by its index.
struct BlockID: Hashable { var number: Int32 }
/// A function of the program, by its index.
struct FunctionID: Hashable { var number: Int32 }
/// Memory of the program, by its index.
struct SlotID: Hashable { var number: Int32 }

/// Memory that a program writes and reads; holds garbage at first. Aligned to 8 bytes.
///
/// On the stack when it is small and one function uses it, else in scratch. What loop bodies share with the code
/// around them is always in scratch: kernels before 6.7 look at a body once and take what that leaves on the stack for
/// what is always there, and would cut code away that they wrongly believe dead.
struct IRSlot: Equatable {
  var size: Int32
  /// Never on the stack: the verifier follows constants through the stack, but not through scratch.
  var isInScratch = false
  /// Where it lies; set by `PlaceMemory`.
  var place: Place = .open

  enum Place: Equatable {
    case open
    /// Bytes from the frame pointer, negative.
    case stack(offset: Int32)
    case scratch(offset: Int32)
  }
}

/// What an instruction works on. All but `value` are known when the program is loaded and need no register before.
enum IROperand: Hashable {
  case value(ValueID)
  case constant(Int64)
  /// The address of a byte in a slot.
  case slot(SlotID, Int32)
  /// A map, as helpers take it.
  case map(MapReference)
  /// The address of a byte in the first value of an array map.
  case mapValue(MapReference, Int32)
}

/// Where control goes, and what the block there gets for its parameters.
struct IRTarget: Equatable {
  var block: BlockID
  var arguments: [IROperand] = []
}

struct IRBlock: Equatable {
  var parameters: [ValueID] = []
  var instructions: [IRInstruction] = []
  var terminator: IRTerminator = .exit(.constant(0))
  /// The source place of the terminator.
  var place: UInt32 = 0
  /// Reached only when something went wrong: placed behind everything else.
  var isCold = false
}

struct IRInstruction: Equatable {
  var result: ValueID?
  var operation: IROperation
  /// The compiler's number for the place in the source; 0 for none.
  var place: UInt32 = 0
}

enum IROperation: Equatable {
  /// 64-bit; `mov` is not used. `div` and `mod` are unsigned, and never by zero. Shift counts are 0 to 63.
  case binary(ALU, IROperand, IROperand)
  case negate(IROperand)
  /// The low bits of a value, as a number.
  case extend(IROperand, Width, signed: Bool)
  /// The low bits of a value in the other byte order, zero-extended.
  case swapBytes(IROperand, Width)
  /// 1 or 0.
  case compare(Condition, IROperand, IROperand)
  /// What the kernel hands to the probe; in a loop body, the address of the caller's `handover`, which only
  /// `PlaceMemory` uses.
  case context
  /// In a loop body: which iteration this is, from 0.
  case iteration
  /// Never an address on its own: a pointer's bits as a number, so that the verifier lets one calculate with it.
  case number(IROperand)
  case load(IROperand, Int32, Width, signed: Bool)
  case store(IROperand, Int32, Width, IROperand)
  /// The result is the old value, when there is one. For `compareExchange`, the last operand is what is expected.
  case atomic(Atomic, IROperand, Int32, IROperand, expected: IROperand?)
  case call(Helper, CallArguments<IROperand>)
  /// Runs a loop body up to `count` times, until it exits with 1. The result is how often it ran, or a negative errno.
  case loop(FunctionID, count: IROperand)
}

enum IRTerminator: Equatable {
  case jump(IRTarget)
  case branch(Condition, IROperand, IROperand, IRTarget, IRTarget)
  /// The end of the probe; in a loop body of the iteration, 0 to go on and 1 to stop.
  case exit(IROperand)
}
