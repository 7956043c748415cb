/// Texts by family; nil for codes that the kernel does not know.
extension Instruction {
  /// `r1 += r2`, `w1 = 5`, `r1 = -r1`, `r1 = be16 r1`
  var arithmeticText: String? {
    let letter = isNarrow ? "w" : "r"
    let operation = code & Opcode.operationMask
    switch operation {
    case Opcode.byteSwap where isNarrow:
      let order = code & Opcode.registerSource == 0 ? "le" : "be"
      return "r\(destination) = \(order)\(immediate) r\(destination)"
    case Opcode.negate:
      return "\(letter)\(destination) = -\(letter)\(destination)"
    default:
      guard let symbol = ALU(rawValue: operation)?.symbol else { return nil }
      let operand = code & Opcode.registerSource == 0 ? String(immediate) : "\(letter)\(source)"
      return "\(letter)\(destination) \(symbol) \(operand)"
    }
  }

  /// `goto pc+3`, `if w1 s> 0x5 goto pc-2`, `call bpf_map_lookup_elem#1`, `exit`
  var jumpText: String? {
    if code == Opcode.jump { return "goto pc\(signed(offset))" }
    if code == Opcode.call { return callText }
    if code == Opcode.exit { return "exit" }
    guard let symbol = Condition(rawValue: code & Opcode.operationMask)?.symbol else { return nil }
    let letter = isNarrow ? "w" : "r"
    let operand = code & Opcode.registerSource == 0 ? hexadecimal(immediate) : "\(letter)\(source)"
    return "if \(letter)\(destination) \(symbol) \(operand) goto pc\(signed(offset))"
  }

  private var callText: String {
    switch source {
    case Pseudo.subprogramCall: "call pc\(signed(immediate))"
    case Pseudo.kernelFunctionCall: "call kernel-function#\(immediate)"
    default: "call \(Helper(rawValue: immediate)?.name ?? "unknown")#\(immediate)"
    }
  }

  /// `r1 = map[3] ll`, `r1 = map[3][0]+8 ll`, `r1 = subprog[+5] ll`, `r1 = 0x123456789 ll`
  func wideText(_ second: Instruction?, _ mapName: (Int32) -> String) -> String {
    let high = second?.immediate ?? 0
    let value =
      switch source {
      case Pseudo.mapDescriptor: "map[\(mapName(immediate))]"
      case Pseudo.mapValue: "map[\(mapName(immediate))][0]\(signed(high))"
      case Pseudo.function: "subprog[\(signed(immediate))]"
      default: "0x" + String(UInt64(UInt32(bitPattern: high)) << 32 | UInt64(UInt32(bitPattern: immediate)), radix: 16)
      }
    return "r\(destination) = \(value) ll"
  }

  /// `r0 = *(u32 *)skb[4]`, `r0 = *(u8 *)skb[r1 + 4]`
  var packetText: String? {
    switch code & Opcode.Mode.mask {
    case Opcode.Mode.packetAbsolute: "r0 = *(\(unit) *)skb[\(immediate)]"
    case Opcode.Mode.packetIndirect: "r0 = *(\(unit) *)skb[r\(source) + \(immediate)]"
    default: nil
    }
  }

  /// `r1 = *(u64 *)(r10 -8)`, `*(u8 *)(r1 +0) = 5`, `lock *(u64 *)(r1 +0) += r2`
  var memoryText: String? {
    switch (code & Opcode.Class.mask, code & Opcode.Mode.mask) {
    case (Opcode.Class.loadRegister, Opcode.Mode.memory): "r\(destination) = *\(address(source))"
    case (Opcode.Class.storeRegister, Opcode.Mode.memory): "*\(address(destination)) = r\(source)"
    case (Opcode.Class.storeImmediate, Opcode.Mode.memory): "*\(address(destination)) = \(immediate)"
    case (Opcode.Class.storeRegister, Opcode.Mode.atomic): atomicText
    default: nil
    }
  }

  private var atomicText: String? {
    guard let operation = Atomic(rawValue: immediate), let size = atomicSize else { return nil }
    let place = address(destination)
    switch operation {
    case .add, .or, .and, .xor: return "lock *\(place) \(operation.symbol) r\(source)"
    case .compareExchange: return "r0 = atomic\(size)_cmpxchg(\(place), r0, r\(source))"
    default: return "r\(source) = atomic\(size)_\(operation.symbol)(\(place), r\(source))"
    }
  }

  private var atomicSize: String? {
    switch width {
    case .double: "64"
    case .word: ""
    default: nil
    }
  }

  /// `(u64 *)(r10 -8)`
  private func address(_ base: UInt8) -> String { "(\(unit) *)(r\(base) \(signed(offset)))" }
  private var width: Width? { Width(rawValue: code & 0x18) }
  private var unit: String { "u\((width?.bytes ?? 0) * 8)" }
  private var family: UInt8 { code & Opcode.Class.mask }
  private var isNarrow: Bool { family == Opcode.Class.alu32 || family == Opcode.Class.jump32 }

  /// How many slots behind the next one a jump, subprogram call or subprogram address leads; nil for the others.
  var distance: Int? {
    if isWide { return source == Pseudo.function ? Int(immediate) : nil }
    if code == Opcode.call { return source == Pseudo.subprogramCall ? Int(immediate) : nil }
    let jumps = family == Opcode.Class.jump32 || family == Opcode.Class.jump64
    return jumps && code != Opcode.exit && jumpText != nil ? Int(offset) : nil
  }
}

private func signed(_ value: some SignedInteger) -> String { value < 0 ? "\(value)" : "+\(value)" }

private func hexadecimal(_ value: Int32) -> String { "0x" + String(UInt32(bitPattern: value), radix: 16) }

extension ALU {
  fileprivate var symbol: String {
    switch self {
    case .add: "+="
    case .sub: "-="
    case .mul: "*="
    case .div: "/="
    case .or: "|="
    case .and: "&="
    case .lsh: "<<="
    case .rsh: ">>="
    case .mod: "%="
    case .xor: "^="
    case .mov: "="
    case .arsh: "s>>="
    }
  }
}

extension Condition {
  fileprivate var symbol: String {
    switch self {
    case .eq: "=="
    case .gt: ">"
    case .ge: ">="
    case .set: "&"
    case .ne: "!="
    case .sgt: "s>"
    case .sge: "s>="
    case .lt: "<"
    case .le: "<="
    case .slt: "s<"
    case .sle: "s<="
    }
  }
}

extension Atomic {
  fileprivate var symbol: String {
    switch self {
    case .add: "+="
    case .or: "|="
    case .and: "&="
    case .xor: "^="
    case .fetchAdd: "fetch_add"
    case .fetchOr: "fetch_or"
    case .fetchAnd: "fetch_and"
    case .fetchXor: "fetch_xor"
    case .exchange: "xchg"
    case .compareExchange: "cmpxchg"
    }
  }
}
