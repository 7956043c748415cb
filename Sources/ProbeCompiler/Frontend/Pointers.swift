import BPFAssembly
import BTF
import Support

// Walks through kernel memory, typed by BTF.
extension Frontend {
  /// `pointer.member`, or `pointer[index]` of an array.
  mutating func member(of pointer: Pointer, _ key: Value) throws(MoontraceError) -> Value {
    let graph = try kernelTypes()
    let place = try place(of: pointer, graph)
    if case .text(let bytes) = key, place.depth == 0 {
      let name = String(decoding: bytes, as: UTF8.self)
      guard let member = graph.member(name, of: place.type) else { throw noMember(name, of: place, graph) }
      return try value(at: pointer.address, member, place, graph)
    }
    let index = try number(key) { "attempt to index memory with a \($0) value" }
    let (element, _) = graph.element(of: place.type) ?? (type: place.type, count: 0)
    let size = place.depth > 0 ? 8 : try graph.layout(of: element).size
    let address = builder.binary(.add, pointer.address, builder.binary(.mul, index, .constant(Int64(size))))
    if place.depth > 0 {
      let (next, _) = read(address, 0, .double, signed: false, place)
      return .pointer(Pointer(address: next, target: .user(type: place.type, depth: place.depth - 1)))
    }
    return try value(at: address, TypeMember(name: "", type: element, bitOffset: 0), place, graph)
  }

  func kernelTypes() throws(MoontraceError) -> TypeGraph {
    guard let graph = try types() else {
      throw refusal("this kernel has no type information (BTF)", "CONFIG_DEBUG_INFO_BTF is off")
    }
    return graph
  }

  /// Memory that is walked through: whose it is, and what stands there.
  struct Place {
    var isUser: Bool
    var type: TypeID
    /// How many pointers away that is.
    var depth = 0

    func target(_ type: TypeID) -> PointerTarget {
      isUser ? .user(type: type, depth: 0) : .kernel(type: type)
    }

    var helper: Helper { isUser ? .probeReadUser : .probeReadKernel }
    var textHelper: Helper { isUser ? .probeReadUserStr : .probeReadKernelStr }
  }

  func place(of pointer: Pointer, _ graph: TypeGraph) throws(MoontraceError) -> Place {
    switch pointer.target {
    case .kernel(let type): return Place(isUser: false, type: graph.resolve(type))
    case .user(let type, let depth): return Place(isUser: true, type: graph.resolve(type), depth: depth)
    case .spelled(let spelling):
      let found = Self.find(spelling, graph)
      return Place(isUser: true, type: graph.resolve(found.type ?? 0), depth: found.depth)
    }
  }

  /// The type that C text names, and how many pointers stand between a pointer of that text and it.
  static func find(_ spelling: String, _ graph: TypeGraph) -> (type: TypeID?, depth: Int, name: String) {
    let words = spelling.split { $0 == " " || $0 == "*" }.map(String.init)
      .filter { !["const", "volatile", "__user", "__rcu"].contains($0) }
    let depth = max(0, spelling.count { $0 == "*" } - 1)
    guard let name = words.last, name != "void" else { return (nil, depth, words.last ?? "") }
    let type =
      switch words.count > 1 ? words[0] : "" {
      case "struct": graph.find(name, .struct)
      case "union": graph.find(name, .union)
      case "enum": graph.find(name, .enum, .enum64)
      default:
        graph.find(words.joined(separator: " "), .typedef, .struct, .union, .integer)
          ?? integerNames(words).lazy.compactMap { graph.find($0, .integer) }.first
      }
    return (type, depth, name)
  }

  /// What compilers call an integer type in BTF that C lets one write in several ways: gcc, and then clang.
  private static func integerNames(_ words: [String]) -> [String] {
    let longs = words.count { $0 == "long" }
    let isUnsigned = words.contains("unsigned")
    guard words.allSatisfy({ ["unsigned", "signed", "long", "short", "int"].contains($0) }), longs <= 2 else {
      return []
    }
    let size = Array(repeating: "long", count: longs) + (words.contains("short") ? ["short"] : [])
    let sign = isUnsigned ? ["unsigned"] : []
    return [size + sign + ["int"], sign + size].map { $0.joined(separator: " ") }
  }

  private func noMember(_ name: String, of place: Place, _ graph: TypeGraph) -> MoontraceError {
    if place.type == 0 { return refusal("a void pointer has no members", "cast(\"struct NAME\", p), or str(p)") }
    let hint = suggestionHint(for: name, in: graph.memberNames(of: place.type))
    return refusal("\(graph.spelling(of: place.type)) has no member '\(name)'\(hint)")
  }

  /// What a member holds; structs, unions and arrays are walked on from their address.
  private mutating func value(
    at base: IROperand, _ member: TypeMember, _ place: Place, _ graph: TypeGraph
  ) throws(MoontraceError) -> Value {
    let type = graph.resolve(member.type)
    let offset = Int64(member.bitOffset / 8)
    switch graph.kind(of: type) {
    case .struct, .union:
      return .pointer(Pointer(address: builder.binary(.add, base, .constant(offset)), target: place.target(type)))
    case .array:
      if case .text(let count) = try graph.layout(of: type), count > 0 {
        return readText(builder.binary(.add, base, .constant(offset)), Int32(count), helper: place.textHelper)
      }
      return .pointer(Pointer(address: builder.binary(.add, base, .constant(offset)), target: place.target(type)))
    case .pointer:
      let (number, isThere) = read(base, offset, .double, signed: false, place)
      _ = isThere  // what can't be read is zeroed: NULL, which is nil
      return .pointer(Pointer(address: number, target: place.target(graph.pointee(of: type) ?? 0)))
    default: return try scalar(at: base, member, graph.layout(of: type), place)
    }
  }

  private mutating func scalar(
    at base: IROperand, _ member: TypeMember, _ layout: ValueLayout, _ place: Place
  ) throws(MoontraceError) -> Value {
    let isSigned: Bool
    switch layout {
    case .integer(_, let signed), .enumeration(_, let signed, _): isSigned = signed
    case .boolean: isSigned = false
    case .text: isSigned = false
    default: throw refusal("a member of this type can't be read in a probe")
    }
    if member.bitWidth > 0 {
      let (number, isThere) = bitField(at: base, member, signed: isSigned, place)
      return nilable(named(number, layout), isThere)
    }
    guard let width = Width.allCases.first(where: { $0.bytes == layout.size }) else {
      throw refusal("a member of \(layout.size) bytes can't be read as a number", "use buf(p, n)")
    }
    let (number, isThere) = read(base, Int64(member.bitOffset / 8), width, signed: isSigned, place)
    if case .boolean = layout {
      return nilable(.flag(builder.compare(.ne, number, .constant(0))), isThere)
    }
    return nilable(named(number, layout), isThere)
  }

  /// The number that a member holds; an enum's names go with it.
  private mutating func named(_ number: IROperand, _ layout: ValueLayout) -> Value {
    guard case .enumeration(_, let signed, let names) = layout else { return .number(number) }
    return enumerated(number, as: DataType.Enumeration(isSigned: signed, names))
  }

  private mutating func bitField(
    at base: IROperand, _ member: TypeMember, signed: Bool, _ place: Place
  ) -> (number: IROperand, status: IROperand) {
    let first = member.bitOffset / 8
    let (word, isThere) = read(base, Int64(first), .double, signed: false, place)
    let up = builder.binary(.lsh, word, .constant(Int64(64 - member.bitWidth - member.bitOffset % 8)))
    let down = builder.binary(signed ? .arsh : .rsh, up, .constant(Int64(64 - member.bitWidth)))
    return (down, isThere)
  }

  /// Reads a number; what can't be read is 0. Also whether it could be read: 1 or 0.
  private mutating func read(
    _ base: IROperand, _ offset: Int64, _ width: Width, signed: Bool, _ place: Place
  ) -> (number: IROperand, status: IROperand) {
    let slot = builder.newSlot(8)
    let source = builder.binary(.add, base, .constant(offset))
    let status = builder.call(place.helper, .slot(slot, 0), .constant(Int64(width.bytes)), source)
    return (builder.load(.slot(slot, 0), 0, width, signed: signed), status)
  }

  private mutating func nilable(_ value: Value, _ status: IROperand) -> Value {
    let tag = tag(value.kind ?? .integer, unlessNegative: status)
    return .choice(Value.Choice(tag: tag, alternatives: [.nil, value]))
  }

  /// A kind's tag, or nil's where a helper has failed. Without a branch: for each the verifier would walk on twice.
  mutating func tag(_ kind: Kind, unlessNegative status: IROperand) -> IROperand {
    let failed = builder.binary(.arsh, status, .constant(63))
    return builder.binary(.and, builder.binary(.xor, failed, .constant(-1)), .constant(kind.rawValue))
  }

  /// Text at an address in kernel memory; nil when it can't be read.
  mutating func readText(_ address: IROperand, _ size: Int32, helper: Helper = .probeReadKernelStr) -> Value {
    let memory = StringMemory(base: .slot(builder.newSlot(size + 1), 0), capacity: (size + 8) / 8 * 8, isWhole: true)
    let status = builder.call(helper, memory.base, .constant(Int64(size + 1)), address)
    let tag = tag(.string, unlessNegative: status)
    return .choice(Value.Choice(tag: tag, alternatives: [.nil, .string(memory)]))
  }
}
