import BPFAssembly
import Support

// Text with its length before it, of which any byte may be 0: what `buf` reads.
extension Frontend {
  /// The most that `str` and `buf` read, in bytes.
  static let mostText: Int64 = 4096

  /// `buf(p, n)`, or `buf(p, n, max)` where n is known only when the probe runs; nil when it can't be read.
  mutating func bytes(at arguments: [Value]) throws(MoontraceError) -> Value {
    guard arguments.count >= 2 else {
      throw refusal("buf: expected a pointer and a number of bytes", "buf(p, 16), or buf(p, n, 64) for at most 64")
    }
    let pointer = try decided(arguments[0])
    guard pointer.alternatives.allSatisfy({ $0.kind != .string }) else {
      throw refusal("buf: expected a pointer, got a \(pointer.typeName) value", "str(text, 4) cuts text")
    }
    let source = try address(pointer, "buf")
    let helper: Helper = isInKernel(pointer) ? .probeReadKernel : .probeReadUser
    if arguments.count == 2, case .integer(let count) = plain(arguments[1]) {
      guard (1...Self.mostText).contains(count) else { throw wrongLimit("buf: the number of bytes") }
      return isReachable ? try readBytes(source, Int32(count), helper) : .nil
    }
    guard arguments.count > 2, case .integer(let most) = plain(arguments[2]), (1...Self.mostText).contains(most) else {
      throw wrongLimit("buf: the number of bytes, or else the limit behind it,")
    }
    let count = try number(arguments[1]) { "buf: expected a number of bytes, got a \($0) value" }
    return isReachable ? try readBytes(source, count, Int32(most), helper) : .nil
  }

  private func wrongLimit(_ what: String) -> MoontraceError {
    refusal("\(what) is a constant from 1 to \(Self.mostText)", "buf(p, 16), or buf(p, n, 64) for at most 64")
  }

  private mutating func readBytes(
    _ source: IROperand, _ count: Int32, _ helper: Helper
  ) throws(MoontraceError) -> Value {
    var memory = newText((count + 7) / 8 * 8, isCounted: true)
    (memory.isWhole, memory.count) = (true, count)
    builder.store(memory.base, 0, .constant(Int64(count)))
    if count % 8 != 0 { builder.store(memory.base, memory.capacity, .constant(0)) }
    let status = builder.call(helper, address(memory.base, 8), .constant(Int64(count)), source)
    return .choice(Value.Choice(tag: tag(.string, unlessNegative: status), alternatives: [.nil, .string(memory)]))
  }

  private mutating func readBytes(
    _ source: IROperand, _ count: IROperand, _ most: Int32, _ helper: Helper
  ) throws(MoontraceError) -> Value {
    // The verifier takes a mask for a limit whatever register the number is in: there is room for all that it allows.
    let mask = Int32(UInt32.max >> UInt32(most.leadingZeroBitCount))
    let room = IROperand.slot(builder.newSlot(8 + mask + 1), 0)
    let capacity = (most + 7) / 8 * 8
    let memory = StringMemory(base: room, capacity: capacity, isCounted: true, isPadded: true)
    try zero(room, 8, capacity)
    let least = select(.slt, count, .constant(0), .constant(0), count)
    let length = select(.sgt, least, .constant(Int64(most)), .constant(Int64(most)), least)
    builder.store(room, 0, length)
    let size = builder.binary(.and, length, .constant(Int64(mask)))
    let status = builder.call(helper, address(room, 8), size, source)
    return .choice(Value.Choice(tag: tag(.string, unlessNegative: status), alternatives: [.nil, .string(memory)]))
  }

  // MARK: Memory for text

  /// Memory for text, with or without its length before it.
  mutating func newText(_ capacity: Int32, isCounted: Bool) -> StringMemory {
    var memory = StringMemory(
      base: .constant(0), capacity: capacity, isCounted: isCounted, isPadded: isCounted)
    memory.base = .slot(builder.newSlot(memory.size), 0)
    return memory
  }

  /// Copies text to memory that was made for it.
  mutating func fill(
    _ memory: StringMemory, with value: Value, isKey: Bool = false
  ) throws(MoontraceError) {
    if memory.isCounted {
      try copyBytes(value, to: memory.base, memory.offset, capacity: memory.capacity)
    } else {
      try copyText(value, to: memory.base, memory.offset, capacity: memory.capacity, isKey: isKey)
    }
  }

  /// Copies text and its length; the rest is zero.
  mutating func copyBytes(
    _ value: Value, to base: IROperand, _ offset: Int32, capacity: Int32
  ) throws(MoontraceError) {
    switch plain(value) {
    case .text(let bytes):
      builder.store(base, offset, .constant(Int64(bytes.count)))
      try storeConstant(bytes, to: base, offset + 8, capacity, isKey: true)
    case .string(let memory):
      builder.store(base, offset, try textLength(memory))
      try copy(memory, to: base, offset + 8, capacity, isKey: true)
    default: try zero(base, offset, 8 + capacity)
    }
  }

  // MARK: Cutting

  /// `str(text, n)`: the first n bytes, in no more memory than they need; nil stays nil.
  mutating func cut(_ value: Value, to count: Int32) throws(MoontraceError) -> Value {
    switch value {
    case .text(let bytes): return .text(Array(bytes.prefix(Int(count))))
    case .string(let memory): return memory.capacity <= count ? value : .string(try cut(memory, to: count))
    case .choice(var choice):
      guard let index = choice.alternatives.firstIndex(where: { $0.kind == .string }),
        case .string(let memory) = choice.alternatives[index], memory.capacity > count
      else { return value }
      let copy = newText((count + 7) / 8 * 8, isCounted: memory.isCounted)
      // Only when it is text is there something to copy.
      try onlyIf(.eq, choice.tag, .constant(Kind.string.rawValue)) { frontend throws(MoontraceError) in
        try frontend.cut(memory, to: count, in: copy)
      }
      choice.alternatives[index] = .string(copy)
      return .choice(choice)
    default: return value
    }
  }

  private mutating func cut(_ memory: StringMemory, to count: Int32) throws(MoontraceError) -> StringMemory {
    let copy = newText((count + 7) / 8 * 8, isCounted: memory.isCounted)
    try cut(memory, to: count, in: copy)
    return copy
  }

  private mutating func cut(
    _ memory: StringMemory, to count: Int32, in short: StringMemory
  ) throws(MoontraceError) {
    try copy(memory, to: short.base, short.content.offset, short.capacity, isKey: false)
    if count % 8 != 0 {
      let last = short.content.offset + short.capacity - 8
      let mask = Int64(bitPattern: UInt64.max >> UInt64(64 - 8 * (count % 8)))
      builder.store(short.base, last, builder.binary(.and, builder.load(short.base, last), .constant(mask)))
    }
    guard short.isCounted else { return }
    let length = builder.load(memory.base, memory.offset)
    builder.store(short.base, 0, select(.gt, length, .constant(Int64(count)), .constant(Int64(count)), length))
  }
}
