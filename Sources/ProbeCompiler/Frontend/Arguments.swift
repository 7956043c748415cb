import BPFAssembly
import BTF
import Support

// What the kernel hands to the probe.
extension Frontend {
  /// `args.NAME`
  mutating func argument(_ key: Value) throws(MoontraceError) -> Value {
    guard case .text(let bytes) = key else { throw refusal("args is indexed by name: args.NAME") }
    let name = String(decoding: bytes, as: UTF8.self)
    guard let argument = context.arguments.first(where: { $0.name == name }) else {
      if name == "retval", context.result != nil { return try result() }
      let names = context.arguments.map(\.name)
      let remedy = names.isEmpty ? nil : "it has \(names.joined(separator: ", "))"
      let hint = suggestionHint(for: name, in: names)
      throw refusal("\(context.spec) has no argument '\(name)'\(hint)", hint.isEmpty ? remedy : nil)
    }
    return try value(of: argument)
  }

  /// `retval`
  mutating func result() throws(MoontraceError) -> Value {
    guard let result = context.result else {
      throw refusal("\(context.spec) has no return value", "use kretprobe, fexit, uretprobe, or a sys_exit tracepoint")
    }
    return try value(of: result)
  }

  /// `arg0` …
  mutating func positional(_ index: Int) throws(MoontraceError) -> Value {
    guard context.positional.indices.contains(index) else {
      let known =
        context.positional.isEmpty ? "it has none by number" : "its last is arg\(context.positional.count - 1)"
      throw refusal("\(context.spec) has no arg\(index)", known)
    }
    return try value(
      of: ProbeContext.Argument(name: "arg\(index)", source: context.positional[index], type: .integer))
  }

  private mutating func value(of argument: ProbeContext.Argument) throws(MoontraceError) -> Value {
    switch argument.type {
    case .text: return try text(of: argument)
    case .integer: return .number(word(argument.source))
    case .spelledEnumeration(let spelling):
      let word = word(argument.source)
      guard let graph = try types(), let type = Self.find(spelling, graph).type else { return .number(word) }
      return try enumerated(word, type, graph)
    case .enumeration(let type): return try enumerated(word(argument.source), type, kernelTypes())
    case .boolean: return .flag(builder.compare(.ne, word(argument.source), .constant(0)))
    case .userPointer(let spelling):
      return .pointer(Pointer(address: word(argument.source), target: .spelled(spelling)))
    case .kernelPointer(let type):
      return .pointer(Pointer(address: pointer(argument.source), target: .kernel(type: type)))
    }
  }

  /// A word of the context; in a loop body, as it was before the loop.
  mutating func word(_ source: ProbeContext.Argument.Source) -> IROperand {
    if loopOutcomes.isEmpty { return fetch(source) }
    if case .constant(let value) = source { return .constant(value) }
    if let slot = argumentSlots[source] { return builder.load(.slot(slot, 0), 0) }
    let slot = builder.newSlot(8)
    argumentSlots[source] = slot
    return builder.load(.slot(slot, 0), 0)
  }

  /// Stores the arguments that loop bodies asked for; before the outermost loop starts.
  mutating func storeArguments() {
    for (source, slot) in argumentSlots.sorted(by: { $0.value.number < $1.value.number }) {
      builder.store(.slot(slot, 0), 0, isTracing ? builder.emit(.number(fetch(source))) : fetch(source))
    }
    argumentSlots = [:]
  }

  private mutating func fetch(_ source: ProbeContext.Argument.Source) -> IROperand {
    switch source {
    case .word(let offset, let width, let signed):
      return builder.load(contextValue, offset, width, signed: signed)
    case .constant(let value): return .constant(value)
    case .memory(let register, let displacement, let width, let signed):
      let slot = builder.newSlot(8)
      let base = builder.load(contextValue, register)
      let address = builder.binary(.add, base, .constant(Int64(displacement)))
      _ = builder.call(.probeReadUser, .slot(slot, 0), .constant(Int64(width.bytes)), address)
      return builder.load(.slot(slot, 0), 0, width, signed: signed)
    case .bytes, .location: return .constant(0)
    }
  }

  /// Programs of these kinds get pointers that the verifier knows the type of, and does not let calculate with.
  private var isTracing: Bool {
    switch context.kind {
    case .functionEntry, .functionExit, .iterator: true
    default: false
    }
  }

  private mutating func pointer(_ source: ProbeContext.Argument.Source) -> IROperand {
    let address = word(source)
    return isTracing && loopOutcomes.isEmpty ? builder.emit(.number(address)) : address
  }

  private mutating func text(of argument: ProbeContext.Argument) throws(MoontraceError) -> Value {
    let key = "args." + argument.name
    if let known = state.fetched[key] { return .string(known) }
    guard loopOutcomes.isEmpty else {
      throw refusal(
        "args.\(argument.name) is text, which has to be read outside of loops",
        "local \(argument.name) = args.\(argument.name), before the loop")
    }
    let memory: StringMemory
    switch argument.source {
    case .bytes(let offset, let size):
      let capacity = (size + 8) / 8 * 8
      var copy = StringMemory(base: .slot(builder.newSlot(capacity), 0), capacity: capacity, isWhole: true, count: size)
      builder.store(copy.base, capacity - 8, .constant(0))
      if Self.isShort(size, at: offset) {
        copy.contextOffset = offset
        loadBytes(offset, size, to: copy.base)
      } else {
        let start = builder.binary(.add, contextValue, .constant(Int64(offset)))
        _ = builder.call(.probeReadKernel, copy.base, .constant(Int64(size)), start)
      }
      memory = copy
    case .location(let offset):
      memory = StringMemory(
        base: .slot(builder.newSlot(Self.defaultText), 0), capacity: Self.defaultText, isWhole: true)
      let place = builder.binary(.and, builder.load(contextValue, offset, .word), .constant(0xffff))
      let start = builder.binary(.add, builder.emit(.number(contextValue)), place)
      _ = builder.call(.probeReadKernelStr, memory.base, .constant(Int64(Self.defaultText)), start)
    default: throw refusal("args.\(argument.name) can't be read")
    }
    state.fetched[key] = memory
    return .string(memory)
  }

  /// Whether bytes of the context are copied sooner by loads, which have to be aligned, than by the kernel.
  private static func isShort(_ size: Int32, at offset: Int32) -> Bool {
    size == 4 && offset % 4 == 0 || (size == 8 || size == 16) && offset % 8 == 0
  }

  private mutating func loadBytes(_ offset: Int32, _ size: Int32, to slot: IROperand) {
    let width: Width = size == 4 ? .word : .double
    for place in stride(from: 0, to: size, by: 8) {
      builder.store(slot, place, builder.load(contextValue, offset + place, width))
    }
  }

  /// Room for text of 256 bytes and its NUL.
  static let defaultText: Int32 = 264
}
