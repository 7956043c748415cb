import BPFAssembly
import Support

// `string.find`: constant text in text.
extension Frontend {
  /// The characters that make text a pattern (lstrlib.c, SPECIALS).
  private static let magic = Set("^$*+?.([%-".utf8)

  /// What to look for, and from where on.
  private struct Search {
    var needle: [UInt8]
    /// As `string.find` takes it: from 1, or negative from the end.
    var start: IROperand
  }

  /// `string.find(text, needle, init, plain)`: the first and the last place of the first such text, or nil.
  mutating func find(_ arguments: [Value]) throws(MoontraceError) -> [Value] {
    guard arguments.count >= 2, case .text(let needle) = plain(arguments[1]) else {
      throw refusal("string.find: the text to look for is constant")
    }
    try checkPattern(needle, arguments.count > 3 ? plain(arguments[3]) : .nil)
    let subject = try subject(arguments[0], of: "find")
    let search = Search(needle: needle, start: try searchStart(arguments.count > 2 ? arguments[2] : .nil))
    guard isReachable else { return [.nil] }
    switch subject {
    case .text(let bytes):
      if case .constant(let start) = search.start { return Self.find(needle, in: bytes, from: start) }
      let memory = newText(Int32(max(bytes.count, 1) + 7) / 8 * 8, isCounted: true)
      try fill(memory, with: subject)
      return try find(search, in: memory)
    case .string(let memory): return try find(search, in: memory)
    default: throw refusal("string.find: expected text, got a \(subject.typeName)")
    }
  }

  private func checkPattern(_ needle: [UInt8], _ isPlain: Value) throws(MoontraceError) {
    switch isPlain {
    case .boolean(true): return
    case .nil, .boolean(false): break
    default: throw refusal("string.find: whether the text is plain is a constant: true")
    }
    guard let character = needle.first(where: Self.magic.contains) else { return }
    throw refusal(
      "string.find: '\(Character(UnicodeScalar(character)))' makes a pattern, and a probe knows none",
      "to look for the text as it stands: text:find(\"…\", 1, true)")
  }

  /// Text that a function of `string` is called with; nil ends the run, as Lua's error does.
  mutating func subject(_ value: Value, of function: String) throws(MoontraceError) -> Value {
    let value = try decided(value)
    let message = "bad argument #1 to '\(function)' (string expected, got nil)"
    switch value {
    case .nil: fail(message)
    case .choice(let choice):
      guard choice.alternatives.allSatisfy({ $0 == .nil || $0.kind == .string }), let text = choice.alternatives.last
      else { break }
      try unless(.ne, choice.tag, .constant(0)) { frontend throws(MoontraceError) in frontend.fail(message) }
      return text
    default: break
    }
    return value
  }

  /// The third argument: 1 when it is nil.
  private mutating func searchStart(_ value: Value) throws(MoontraceError) -> IROperand {
    let value = try decided(value)
    if value == .nil { return .constant(1) }
    if case .choice(let choice) = value, choice.alternatives.first == .nil, choice.alternatives.count == 2,
      let number = choice.alternatives[1].number
    {
      return select(.eq, choice.tag, .constant(0), .constant(1), number)
    }
    return try number(value) { "bad argument #3 to 'find' (number expected, got \($0))" }
  }

  private static func find(_ needle: [UInt8], in text: [UInt8], from start: Int64) -> [Value] {
    let length = Int64(text.count)
    var place = start > 0 ? start : start == 0 || start < -length ? 1 : length + start + 1
    while place <= length - Int64(needle.count) + 1 {
      if text[Int(place - 1)...].starts(with: needle) {
        return [.integer(place), .integer(place + Int64(needle.count) - 1)]
      }
      place += 1
    }
    return [.nil]
  }

  private mutating func find(_ search: Search, in memory: StringMemory) throws(MoontraceError) -> [Value] {
    let count = Int64(search.needle.count)
    guard count <= Int64(memory.capacity) else { return [.nil] }
    let window = Int32(1 << (Int32.bitWidth - (memory.capacity - 1).leadingZeroBitCount))
    let text = builder.newSlot(window + Int32(count + 7) / 8 * 8 + 8)
    let length = try copyAndMeasure(memory, to: .slot(text, 0))
    let start = firstPlace(search.start, length)
    let last = builder.binary(.sub, length, .constant(count))
    let found: IROperand
    if search.needle.isEmpty {
      found = select(.sle, start, last, builder.binary(.add, start, .constant(1)), .constant(0))
    } else {
      found = try scan(
        text, window, for: search.needle, from: start, to: last, tries: Int64(memory.capacity) - count + 1)
    }
    let isFound = builder.compare(.ne, found, .constant(0))
    let tag = builder.binary(.lsh, isFound, .constant(Kind.integer.shift))
    return [found, builder.binary(.add, found, .constant(count - 1))].map {
      .choice(Value.Choice(tag: tag, alternatives: [.nil, .number($0)]))
    }
  }

  /// Copies text to where any place of it can be looked at; its length.
  private mutating func copyAndMeasure(
    _ memory: StringMemory, to place: IROperand
  ) throws(MoontraceError) -> IROperand {
    guard memory.isCounted else {
      let source = address(memory.base, memory.offset)
      let read = builder.call(.probeReadKernelStr, place, .constant(Int64(memory.capacity + 1)), source)
      return builder.binary(.sub, read, .constant(1))
    }
    try copy(memory, to: place, 0, memory.capacity, isKey: false)
    return builder.load(memory.base, memory.offset)
  }

  /// The place, from 0, that `init` means.
  private mutating func firstPlace(_ start: IROperand, _ length: IROperand) -> IROperand {
    let fromEnd = { (frontend: inout Frontend) in
      let place = frontend.builder.binary(.add, length, start)
      return frontend.select(.slt, place, .constant(0), .constant(0), place)
    }
    switch start {
    case .constant(let constant) where constant >= 0: return .constant(max(0, constant - 1))
    case .constant: return fromEnd(&self)
    default:
      let other = select(.eq, start, .constant(0), .constant(0), fromEnd(&self))
      return select(.sgt, start, .constant(0), builder.binary(.sub, start, .constant(1)), other)
    }
  }

  /// Looks at one place after the other; the first with the text, from 1, or 0.
  ///
  /// A loop body of its own (see decision 0007): the text is in scratch, where the verifier allows any offset that a
  /// mask limits.
  private mutating func scan(
    _ text: SlotID, _ window: Int32, for needle: [UInt8], from start: IROperand, to last: IROperand, tries: Int64
  ) throws(MoontraceError) -> IROperand {
    guard loopOutcomes.count < Self.deepestLoop else {
      throw refusal("string.find stands in more than \(Self.deepestLoop - 1) loops", "the kernel runs no more")
    }
    let (position, limit, found) = (builder.newSlot(8), builder.newSlot(8), builder.newSlot(8))
    builder.store(.slot(position, 0), 0, start)
    builder.store(.slot(limit, 0), 0, last)
    builder.store(.slot(found, 0), 0, .constant(0))
    let (function, place) = builder.enterNewFunction()
    let (inside, outside) = (builder.newBlock(), builder.newBlock())
    let (equal, different) = (builder.newBlock(), builder.newBlock())
    let here = builder.load(.slot(position, 0), 0)
    let next = builder.binary(.add, here, .constant(1))
    builder.branch(.sle, here, builder.load(.slot(limit, 0), 0), inside, outside)
    builder.move(to: outside)
    builder.exit(.constant(1))
    builder.move(to: inside)
    let offset = builder.binary(.and, here, .constant(Int64(window - 1)))
    let isEqual = hasBytes(needle, at: builder.binary(.add, .slot(text, 0), offset), 0)
    builder.branch(.ne, isEqual, .constant(0), equal, different)
    builder.move(to: equal)
    builder.store(.slot(found, 0), 0, next)
    builder.exit(.constant(1))
    builder.move(to: different)
    builder.store(.slot(position, 0), 0, next)
    builder.exit(.constant(0))
    builder.leave(to: place)
    builder.perform(.loop(function, count: .constant(tries)))
    return builder.load(.slot(found, 0), 0)
  }
}
