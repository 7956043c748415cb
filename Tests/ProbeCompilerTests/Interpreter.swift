import BPFAssembly
import Glibc

@testable import ProbeCompiler

/// Runs IR as `IRProgram` describes it, to have something that the compiled program can be held against.
struct Interpreter {
  /// Memory is numbered: the high half of an address says which, the low half is the offset.
  private static let resultMemory: Int64 = 1
  private static let contextMemory: Int64 = 2
  private static let firstSlot: Int64 = 3

  private let program: IRProgram
  private var memory: [[UInt8]]

  /// What the program leaves in `TestMaps.results`.
  static func results(of program: IRProgram, arguments: [Int64]) -> [Int64] {
    var interpreter = Interpreter(program, arguments)
    _ = interpreter.run(0, iteration: 0)
    let bytes = interpreter.memory[Int(resultMemory)]
    return bytes.withUnsafeBytes { Array($0.bindMemory(to: Int64.self)) }
  }

  private init(_ program: IRProgram, _ arguments: [Int64]) {
    self.program = program
    let context = arguments + Array(repeating: 0, count: 12 - arguments.count)
    memory = [[], Array(repeating: 0, count: TestMaps.count * 8), context.withUnsafeBytes { Array($0) }]
    for slot in program.slots { memory.append(Array(repeating: 0, count: Int(slot.size))) }
  }

  private mutating func run(_ number: Int, iteration: Int64) -> Int64 {
    let function = program.functions[number]
    var values = Array(repeating: Int64(0), count: Int(function.valueCount))
    var block = 0
    while true {
      for instruction in function.blocks[block].instructions {
        let result = perform(instruction.operation, values, iteration)
        if let target = instruction.result { values[target.index] = result }
      }
      let taken: IRTarget
      switch function.blocks[block].terminator {
      case .exit(let operand): return read(operand, values)
      case .jump(let target): taken = target
      case .branch(let condition, let left, let right, let first, let second):
        taken = holds(condition, read(left, values), read(right, values)) ? first : second
      }
      let arguments = taken.arguments.map { read($0, values) }
      block = taken.block.index
      for (parameter, argument) in zip(function.blocks[block].parameters, arguments) {
        values[parameter.index] = argument
      }
    }
  }

  private func read(_ operand: IROperand, _ values: [Int64]) -> Int64 {
    switch operand {
    case .value(let value): values[value.index]
    case .constant(let constant): constant
    case .slot(let slot, let offset): (Self.firstSlot + Int64(slot.number)) << 32 + Int64(offset)
    case .mapValue(_, let offset): Self.resultMemory << 32 + Int64(offset)
    case .map: 0
    }
  }

  private mutating func perform(_ operation: IROperation, _ values: [Int64], _ iteration: Int64) -> Int64 {
    switch operation {
    case .binary(let operation, let left, let right):
      return calculate(operation, read(left, values), read(right, values))
    case .negate(let operand): return 0 &- read(operand, values)
    case .extend(let operand, let width, let signed): return extend(read(operand, values), width, signed)
    case .swapBytes(let operand, let width): return swap(read(operand, values), width)
    case .compare(let condition, let left, let right):
      return holds(condition, read(left, values), read(right, values)) ? 1 : 0
    case .context: return Self.contextMemory << 32
    case .iteration: return iteration
    case .number(let operand): return read(operand, values)
    case .load(let address, let offset, let width, let signed):
      return extend(load(read(address, values) + Int64(offset), width.bytes), width, signed)
    case .store(let address, let offset, let width, let value):
      store(read(value, values), read(address, values) + Int64(offset), width.bytes)
      return 0
    case .atomic(let operation, let address, let offset, let operand, let expected):
      let address = read(address, values) + Int64(offset)
      return atomic(operation, address, read(operand, values), expected.map { read($0, values) })
    case .call(let helper, let arguments): return call(helper, arguments.map { read($0, values) })
    case .loop(let body, let count): return loop(body.index, read(count, values))
    }
  }

  private mutating func loop(_ body: Int, _ count: Int64) -> Int64 {
    var iteration: Int64 = 0
    while iteration < Int64(UInt32(truncatingIfNeeded: count)) {
      iteration += 1
      if run(body, iteration: iteration - 1) != 0 { break }
    }
    return iteration
  }

  private func load(_ address: Int64, _ bytes: Int) -> Int64 {
    (0..<bytes).reduce(0) { $0 | Int64(memory[Int(address >> 32)][Int(address & 0xffff_ffff) + $1]) << Int64($1 * 8) }
  }

  private mutating func store(_ value: Int64, _ address: Int64, _ bytes: Int) {
    for byte in 0..<bytes {
      memory[Int(address >> 32)][Int(address & 0xffff_ffff) + byte] = UInt8(
        truncatingIfNeeded: value >> Int64(byte * 8))
    }
  }

  private mutating func atomic(_ operation: Atomic, _ address: Int64, _ operand: Int64, _ expected: Int64?) -> Int64 {
    let old = load(address, 8)
    switch operation {
    case .add, .fetchAdd: store(old &+ operand, address, 8)
    case .or, .fetchOr: store(old | operand, address, 8)
    case .and, .fetchAnd: store(old & operand, address, 8)
    case .xor, .fetchXor: store(old ^ operand, address, 8)
    case .exchange: store(operand, address, 8)
    case .compareExchange: if old == expected { store(operand, address, 8) }
    }
    return old
  }

  private mutating func call(_ helper: Helper, _ arguments: [Int64]) -> Int64 {
    switch helper {
    case .getCurrentPidTgid: return Int64(getpid()) << 32 | Int64(gettid())
    case .mapUpdateElem: return UInt64(bitPattern: arguments[3]) > 2 ? -22 : 0
    case .probeReadKernel:
      for byte in 0..<arguments[1] { store(load(arguments[2] + byte, 1), arguments[0] + byte, 1) }
      return 0
    default: return 0
    }
  }
}

private func calculate(_ operation: ALU, _ left: Int64, _ right: Int64) -> Int64 {
  let (first, second) = (UInt64(bitPattern: left), UInt64(bitPattern: right))
  switch operation {
  case .add: return left &+ right
  case .sub: return left &- right
  case .mul: return left &* right
  case .div: return Int64(bitPattern: first / second)
  case .mod: return Int64(bitPattern: first % second)
  case .or: return left | right
  case .and: return left & right
  case .xor: return left ^ right
  case .lsh: return left << right
  case .rsh: return Int64(bitPattern: first >> second)
  case .arsh: return left >> right
  case .mov: return right
  }
}

private func extend(_ value: Int64, _ width: Width, _ signed: Bool) -> Int64 {
  let unused = Int64(64 - width.bytes * 8)
  return signed ? (value << unused) >> unused : Int64(bitPattern: UInt64(bitPattern: value << unused) >> UInt64(unused))
}

private func swap(_ value: Int64, _ width: Width) -> Int64 {
  Int64(bitPattern: UInt64(bitPattern: value).byteSwapped >> UInt64(64 - width.bytes * 8))
}

private func holds(_ condition: Condition, _ left: Int64, _ right: Int64) -> Bool {
  let (first, second) = (UInt64(bitPattern: left), UInt64(bitPattern: right))
  switch condition {
  case .eq: return left == right
  case .ne: return left != right
  case .gt: return first > second
  case .ge: return first >= second
  case .lt: return first < second
  case .le: return first <= second
  case .sgt: return left > right
  case .sge: return left >= right
  case .slt: return left < right
  case .sle: return left <= right
  case .set: return left & right != 0
  }
}

@_silgen_name("gettid") private func gettid() -> Int32
