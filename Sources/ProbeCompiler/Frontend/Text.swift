import BPFAssembly
import Support

// Text in memory.
extension Frontend {
  /// The longest text that is copied and compared word by word; longer text goes through helpers.
  private static let fewBytes: Int32 = 64

  /// Copies text, cut to the capacity. In keys, all that follows the text is zero.
  mutating func copyText(
    _ value: Value, to base: IROperand, _ offset: Int32, capacity: Int32, isKey: Bool = false
  ) throws(MoontraceError) {
    switch plain(value) {
    case .text(let bytes): try storeConstant(bytes, to: base, offset, capacity, isKey: isKey)
    case .string(let memory): try copy(memory, to: base, offset, capacity, isKey: isKey)
    default: try zero(base, offset, isKey ? capacity : 8)
    }
  }

  mutating func storeConstant(
    _ bytes: [UInt8], to base: IROperand, _ offset: Int32, _ capacity: Int32, isKey: Bool
  ) throws(MoontraceError) {
    let length = min(Int32(bytes.count), capacity)
    for start in stride(from: Int32(0), to: length, by: 8) {
      var word: UInt64 = 0
      for index in start..<min(start + 8, length) { word |= UInt64(bytes[Int(index)]) << (8 * UInt64(index - start)) }
      builder.store(base, offset + start, .constant(Int64(bitPattern: word)))
    }
    let written = (length + 7) / 8 * 8
    if isKey {
      try zero(base, offset + written, capacity - written)
    } else if written == length, written < capacity {
      builder.store(base, offset + written, .constant(0))
    }
  }

  mutating func copy(
    _ memory: StringMemory, to base: IROperand, _ offset: Int32, _ capacity: Int32, isKey: Bool
  ) throws(MoontraceError) {
    let memory = memory.content
    let size = min(capacity, memory.capacity)
    if isKey, !memory.isPadded {
      return try copyPadded(memory, to: base, offset, capacity)
    }
    if size <= Self.fewBytes {
      for word in stride(from: 0, to: size, by: 8) {
        builder.store(base, offset + word, builder.load(memory.base, memory.offset + word))
      }
    } else {
      let source = address(memory.base, memory.offset)
      _ = builder.call(.probeReadKernel, address(base, offset), .constant(Int64(size)), source)
    }
    if size < capacity { try zero(base, offset + size, isKey ? capacity - size : 8) }
  }

  /// Behind the text there is garbage: only the text is taken. The helper writes a NUL behind it, which needs room.
  private mutating func copyPadded(
    _ memory: StringMemory, to base: IROperand, _ offset: Int32, _ capacity: Int32
  ) throws(MoontraceError) {
    let size = min(capacity, memory.capacity)
    let hasRoom = size < capacity
    let target = hasRoom ? address(base, offset) : .slot(builder.newSlot(size + 8), 0)
    try zero(target, 0, hasRoom ? capacity : size + 8)
    _ = builder.call(
      .probeReadKernelStr, target, .constant(Int64(size + 1)), address(memory.base, memory.offset))
    guard !hasRoom else { return }
    try copy(StringMemory(base: target, capacity: size, isPadded: true), to: base, offset, capacity, isKey: true)
  }

  // MARK: Comparing

  mutating func equalText(_ left: Value, _ right: Value) throws(MoontraceError) -> IROperand {
    switch (left, right) {
    case (.text(let one), .text(let other)): return .constant(one == other ? 1 : 0)
    case (.string(let memory), .text(let bytes)), (.text(let bytes), .string(let memory)):
      return startsWith(memory, bytes, isWhole: true)
    case (.string(let one), .string(let other)): return try equalMemory(one, other)
    default: return .constant(0)
    }
  }

  /// Whether text begins with the bytes, and, as a whole, ends there.
  mutating func startsWith(_ memory: StringMemory, _ bytes: [UInt8], isWhole: Bool) -> IROperand {
    if bytes.count > Int(memory.capacity) { return .constant(0) }
    guard memory.isCounted else {
      if bytes.contains(0) { return .constant(0) }
      let end: [UInt8] = isWhole && bytes.count < Int(memory.capacity) ? [0] : []
      return hasBytes(bytes + end, at: memory.base, memory.offset)
    }
    let length = builder.load(memory.base, memory.offset)
    let isLongEnough = builder.compare(isWhole ? .eq : .ge, length, .constant(Int64(bytes.count)))
    let content = memory.content
    return builder.binary(.and, isLongEnough, hasBytes(bytes, at: content.base, content.offset))
  }

  /// Whether the bytes stand in memory: 1 or 0.
  mutating func hasBytes(_ bytes: [UInt8], at base: IROperand, _ offset: Int32) -> IROperand {
    var difference: IROperand?
    var index = 0
    while index < bytes.count {
      let width = Self.width(bytes.count - index)
      var expected: UInt64 = 0
      for byte in 0..<width.bytes { expected |= UInt64(bytes[index + byte]) << (8 * UInt64(byte)) }
      let loaded = builder.load(base, offset + Int32(index), width)
      let different = builder.binary(.xor, loaded, .constant(Int64(bitPattern: expected)))
      difference = difference.map { builder.binary(.or, $0, different) } ?? different
      index += width.bytes
    }
    return difference.map { builder.compare(.eq, $0, .constant(0)) } ?? .constant(1)
  }

  private static func width(_ left: Int) -> Width {
    switch left {
    case 8...: .double
    case 4...: .word
    case 2...: .half
    default: .byte
    }
  }

  /// Both are copied to where zeros follow them, and compared as a whole.
  private mutating func equalMemory(_ one: StringMemory, _ other: StringMemory) throws(MoontraceError) -> IROperand {
    if one == other { return .constant(1) }
    let capacity = max(one.capacity, other.capacity)
    guard capacity <= Self.defaultText else {
      throw refusal("text of more than 256 bytes can't be compared with other such text", "use str(p, 256)")
    }
    let isCounted = one.isCounted || other.isCounted
    var places: [IROperand] = []
    for memory in [one, other] {
      if memory.isPadded, memory.capacity == capacity, memory.isCounted == isCounted {
        places.append(address(memory.base, memory.offset))
      } else {
        let padded = newText(capacity, isCounted: isCounted)
        try fill(padded, with: .string(memory), isKey: true)
        places.append(padded.base)
      }
    }
    let size = isCounted ? capacity + 8 : capacity
    var difference = IROperand.constant(0)
    for word in stride(from: Int32(0), to: size, by: 8) {
      let different = builder.binary(.xor, builder.load(places[0], word), builder.load(places[1], word))
      difference = difference == .constant(0) ? different : builder.binary(.or, difference, different)
    }
    return builder.compare(.eq, difference, .constant(0))
  }

  /// The length of text: as it says, or its bytes before the first NUL.
  mutating func textLength(_ memory: StringMemory) throws(MoontraceError) -> IROperand {
    if memory.isCounted { return builder.load(memory.base, memory.offset) }
    let slot = IROperand.slot(builder.newSlot(memory.capacity + 8), 0)
    let source = address(memory.base, memory.offset)
    let read = builder.call(.probeReadKernelStr, slot, .constant(Int64(memory.capacity + 1)), source)
    return builder.binary(.sub, read, .constant(1))
  }
}
