import BPFAssembly
import BTF
import Support

// Walks through kernel memory, typed by BTF.
extension Frontend {
  /// `pointer.member`, or `pointer[index]` of an array.
  mutating func member(of pointer: Pointer, _ key: Value) throws(MoontraceError) -> Value {
    guard case .kernel(let type) = pointer.target else {
      throw refusal("a pointer into user memory has no members", "use str(p) or buf(p, n)")
    }
    guard let graph = try types() else {
      throw refusal("this kernel has no type information (BTF)", "CONFIG_DEBUG_INFO_BTF is off")
    }
    let resolved = graph.resolve(type)
    if case .text(let bytes) = key {
      let name = String(decoding: bytes, as: UTF8.self)
      guard let member = graph.member(name, of: resolved) else { throw noMember(name, of: resolved, graph) }
      return try value(at: pointer.address, member, graph)
    }
    let index = try number(key) { "attempt to index kernel memory with a \($0) value" }
    let (element, _) = graph.element(of: resolved) ?? (type: type, count: 0)
    let size = try graph.layout(of: element).size
    let offset = builder.binary(.mul, index, .constant(Int64(size)))
    return try value(
      at: builder.binary(.add, pointer.address, offset), TypeMember(name: "", type: element, bitOffset: 0), graph)
  }

  private func noMember(_ name: String, of type: TypeID, _ graph: TypeGraph) -> MoontraceError {
    if type == 0 { return refusal("a void pointer has no members", "cast(\"struct NAME\", p)") }
    let hint = suggestionHint(for: name, in: graph.memberNames(of: type))
    return refusal("\(graph.spelling(of: type)) has no member '\(name)'\(hint)")
  }

  /// What a member holds; structs, unions and arrays are walked on from their address.
  private mutating func value(
    at base: IROperand, _ member: TypeMember, _ graph: TypeGraph
  ) throws(MoontraceError) -> Value {
    let type = graph.resolve(member.type)
    let offset = Int64(member.bitOffset / 8)
    switch graph.kind(of: type) {
    case .struct, .union:
      return .pointer(Pointer(address: builder.binary(.add, base, .constant(offset)), target: .kernel(type: type)))
    case .array:
      if case .text(let count) = try graph.layout(of: type), count > 0 {
        return readText(builder.binary(.add, base, .constant(offset)), Int32(count))
      }
      return .pointer(Pointer(address: builder.binary(.add, base, .constant(offset)), target: .kernel(type: type)))
    case .pointer:
      let (number, isThere) = read(base, offset, .double, signed: false)
      _ = isThere  // what can't be read is zeroed: NULL, which is nil
      return .pointer(Pointer(address: number, target: .kernel(type: graph.pointee(of: type) ?? 0)))
    default: return try scalar(at: base, member, graph.layout(of: type))
    }
  }

  private mutating func scalar(
    at base: IROperand, _ member: TypeMember, _ layout: ValueLayout
  ) throws(MoontraceError) -> Value {
    let isSigned: Bool
    switch layout {
    case .integer(_, let signed), .enumeration(_, let signed, _): isSigned = signed
    case .boolean: isSigned = false
    case .text: isSigned = false
    default: throw refusal("a member of this type can't be read in a probe")
    }
    if member.bitWidth > 0 { return bitField(at: base, member, signed: isSigned) }
    guard let width = Width.allCases.first(where: { $0.bytes == layout.size }) else {
      throw refusal("a member of \(layout.size) bytes can't be read as a number", "use buf(p, n)")
    }
    let (number, isThere) = read(base, Int64(member.bitOffset / 8), width, signed: isSigned)
    if case .boolean = layout {
      return nilable(.flag(builder.compare(.ne, number, .constant(0))), isThere)
    }
    return nilable(.number(number), isThere)
  }

  private mutating func bitField(at base: IROperand, _ member: TypeMember, signed: Bool) -> Value {
    let first = member.bitOffset / 8
    let (word, isThere) = read(base, Int64(first), .double, signed: false)
    let up = builder.binary(.lsh, word, .constant(Int64(64 - member.bitWidth - member.bitOffset % 8)))
    let down = builder.binary(signed ? .arsh : .rsh, up, .constant(Int64(64 - member.bitWidth)))
    return nilable(.number(down), isThere)
  }

  /// Reads a number from kernel memory; what can't be read is 0. Also whether it could be read: 1 or 0.
  private mutating func read(
    _ base: IROperand, _ offset: Int64, _ width: Width, signed: Bool
  ) -> (number: IROperand, status: IROperand) {
    let slot = builder.newSlot(8)
    let source = builder.binary(.add, base, .constant(offset))
    let status = builder.call(.probeReadKernel, .slot(slot, 0), .constant(Int64(width.bytes)), source)
    return (builder.load(.slot(slot, 0), 0, width, signed: signed), status)
  }

  private mutating func nilable(_ value: Value, _ status: IROperand) -> Value {
    let kind = (value.kind ?? .integer).rawValue
    let tag = select(.eq, status, .constant(0), .constant(kind), .constant(0))
    return .choice(Value.Choice(tag: tag, alternatives: [.nil, value]))
  }

  /// Text at an address in kernel memory; nil when it can't be read.
  mutating func readText(_ address: IROperand, _ size: Int32, helper: Helper = .probeReadKernelStr) -> Value {
    let memory = StringMemory(base: .slot(builder.newSlot(size + 1), 0), capacity: (size + 8) / 8 * 8, isWhole: true)
    let status = builder.call(helper, memory.base, .constant(Int64(size + 1)), address)
    let tag = select(.sge, status, .constant(0), .constant(Kind.string.rawValue), .constant(0))
    return .choice(Value.Choice(tag: tag, alternatives: [.nil, .string(memory)]))
  }
}
