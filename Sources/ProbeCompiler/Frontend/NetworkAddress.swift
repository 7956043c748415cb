import BPFAssembly
import BTF
import Support

// `ntop`: addresses of hosts, which travel as words and are written in user space.
extension Frontend {
  /// An IPv4 address: a number in network byte order, or 4 bytes; or an IPv6 address: 16 bytes. Bytes are text of that
  /// length, or what a pointer to a `struct in_addr`, `struct in6_addr` or an array of that size leads to; nil is nil.
  mutating func networkAddress(_ arguments: [Value]) throws(MoontraceError) -> Value {
    guard let argument = arguments.first else { throw refusal("ntop: expected an address") }
    let value = try decided(argument)
    let rest = value.alternatives.filter { $0 != .nil }
    guard rest.count == 1 else {
      return .named(.address4, [try number(value) { "ntop: expected an address, got a \($0) value" }])
    }
    switch rest[0] {
    case .string(let memory): return try networkAddress(memory, value.tag)
    case .pointer(let pointer): return try networkAddress(at: pointer)
    default: return .named(.address4, [try number(value) { "ntop: expected an address, got a \($0) value" }])
    }
  }

  private mutating func networkAddress(_ memory: StringMemory, _ tag: IROperand) throws(MoontraceError) -> Value {
    guard let count = memory.count, count == 4 || count == 16 else {
      throw refusal("ntop: expected 4 or 16 bytes, or a number", "ntop(buf(p, 16))")
    }
    if let start = memory.contextOffset, loopOutcomes.isEmpty { return address(contextValue, start, count) }
    let content = memory.content
    if case .constant = tag { return address(content.base, content.offset, count) }
    let slot = IROperand.slot(builder.newSlot(16), 0)
    try zero(slot, 0, 16)
    try onlyIf(.eq, tag, .constant(Kind.string.rawValue)) { frontend throws(MoontraceError) in
      for word in stride(from: Int32(0), to: count, by: 8) {
        frontend.builder.store(slot, word, frontend.builder.load(content.base, content.offset + word))
      }
    }
    let isText = builder.binary(.lsh, tag, .constant(Kind.named.shift - Kind.string.shift))
    return .choice(Value.Choice(tag: isText, alternatives: [.nil, address(slot, 0, count)]))
  }

  private mutating func networkAddress(at pointer: Pointer) throws(MoontraceError) -> Value {
    let graph = try kernelTypes()
    let place = try place(of: pointer, graph)
    guard place.depth == 0, let count = addressSize(place.type, graph) else {
      throw refusal(
        "ntop: no address is known to stand at a pointer to \(graph.spelling(of: place.type))",
        "ntop(buf(p, 16)), or ntop(buf(p, 4))")
    }
    let slot = IROperand.slot(builder.newSlot(16), 0)
    builder.store(slot, 0, .constant(0))
    let status = builder.call(place.helper, slot, .constant(Int64(count)), pointer.address)
    let tag = tag(.named, unlessNegative: status)
    return .choice(Value.Choice(tag: tag, alternatives: [.nil, address(slot, 0, count)]))
  }

  private mutating func address(_ base: IROperand, _ offset: Int32, _ count: Int32) -> Value {
    if count == 4 { return .named(.address4, [builder.load(base, offset, .word)]) }
    return .named(.address6, [builder.load(base, offset), builder.load(base, offset + 8)])
  }

  /// Bytes of the address that a type is; nil for types that are none.
  private func addressSize(_ type: TypeID, _ graph: TypeGraph) -> Int32? {
    guard let size = try? graph.layout(of: type).size else { return nil }
    switch (graph.kind(of: type), graph.spelling(of: type), size) {
    case (.struct, "struct in_addr", 4), (.struct, "struct in6_addr", 16), (.array, _, 4), (.array, _, 16),
      (.union, _, 16), (.integer, _, 4):
      return Int32(size)
    default: return nil
    }
  }
}

extension DataType.Naming {
  var isAddress: Bool {
    switch self {
    case .address4, .address6, .address: true
    default: false
    }
  }
}

extension Value {
  /// The words of a named value in the form of another naming; none for other values.
  func words(as naming: DataType.Naming) -> [IROperand] {
    guard case .named(let own, let words) = self else { return [] }
    switch (own, naming) {
    case (.address4, .address): return words + [.constant(0), .constant(4)]
    case (.address6, .address): return words + [.constant(16)]
    default: return words
    }
  }
}
