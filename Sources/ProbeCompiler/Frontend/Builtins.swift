import BPFAssembly
import BTF
import LuaBytecode
import Support

// The names that have a meaning in probes: kernel values and functions.
extension Frontend {
  static let kernelValues: Set<String> = [
    "pid", "tid", "uid", "gid", "comm", "ppid", "pcomm", "cpu", "nsecs", "elapsed", "cgroup", "rand", "curtask",
    "kstack", "ustack", "func", "probe", "retval", "arg0", "arg1", "arg2", "arg3", "arg4", "arg5",
  ]

  static let functions: Set<String> = [
    "str", "kstr", "buf", "ksym", "usym", "ntop", "cast", "print", "printf", "exit", "count", "sum", "avg", "min",
    "max",
    "stats", "hist", "lhist",
  ]

  /// A global variable's value in a probe.
  mutating func globalValue(_ name: String) throws(MoontraceError) -> Value {
    if Self.kernelValues.contains(name) {
      // `pid` and `pid()` are the same.
      return isCalled(code[pc].a) ? .builtin("value." + name) : try kernelValue(name)
    }
    if Self.functions.contains(name) || name == "math" || name == "string" { return .builtin(name) }
    if Self.placeFunctions.contains(name) { return .builtin(name) }
    let value = host.global(name)
    guard value == .nil else { return Value(host: value) }
    if name == "args" { throw refusal("'args' is a probe function's parameter", "function(args) … end") }
    if let instead = Self.instead(of: name) { throw refusal("there is no '\(name)' in a probe", instead) }
    let hint = suggestionHint(for: name, in: Self.kernelValues.union(Self.functions).union(Self.placeFunctions))
    throw refusal("there is no '\(name)' in a probe\(hint)")
  }

  /// What is written in place of calling a function of the user half.
  private static func instead(of name: String) -> String? {
    switch name {
    case "pairs", "ipairs", "next": "go through a list by number: for i = 1, #list do … list[i] … end"
    case "emit": "return { … }, or s:emit{ … } with local s = stream() outside"
    case "map", "global", "stream", "probe", "every", "after", "at_exit", "require": "call it outside of the probe"
    case "tostring", "tonumber", "strftime", "syscall_name", "errno_name", "signal_name":
      "send the value, and call it in :each(function(e) … end)"
    default: nil
    }
  }

  /// Whether what the instruction at hand leaves in a register is called there.
  private func isCalled(_ register: Int) -> Bool {
    for next in pc + 1..<code.count {
      let isCall = code[next].opcode == .call || code[next].opcode == .tailCall
      if isCall, code[next].a == register { return true }
      if RegisterUse(code, next).written.contains(register) { return false }
    }
    return false
  }

  /// `pid()`, `kstack(10)`
  private mutating func calledValue(_ name: String, _ arguments: [Value]) throws(MoontraceError) -> Value {
    if name == "kstack" || name == "ustack" { return try stack(isUser: name == "ustack", arguments) }
    guard arguments.isEmpty else { throw refusal("'\(name)' is a value, which takes no arguments", name) }
    return try kernelValue(name)
  }

  mutating func kernelValue(_ name: String) throws(MoontraceError) -> Value {
    switch name {
    case "pid": return .number(builder.binary(.rsh, builder.call(.getCurrentPidTgid), .constant(32)))
    case "tid": return .number(builder.emit(.extend(builder.call(.getCurrentPidTgid), .word, signed: false)))
    case "uid": return .number(builder.emit(.extend(builder.call(.getCurrentUidGid), .word, signed: false)))
    case "gid": return .number(builder.binary(.rsh, builder.call(.getCurrentUidGid), .constant(32)))
    case "cpu": return .number(builder.call(.getSmpProcessorId))
    case "nsecs": return .number(builder.call(.ktimeGetNs))
    case "elapsed": return .number(builder.binary(.sub, builder.call(.ktimeGetNs), .constant(startTime)))
    case "cgroup": return .number(builder.call(.getCurrentCgroupId))
    case "rand": return .number(builder.call(.getPrandomU32))
    case "comm": return .string(commandName())
    case "curtask": return try currentTask()
    case "ppid":
      return try index(
        try index(try currentTask(), .text(Array("real_parent".utf8)), named: ""), .text(Array("tgid".utf8)), named: "")
    case "pcomm":
      return try index(
        try index(try currentTask(), .text(Array("real_parent".utf8)), named: ""), .text(Array("comm".utf8)), named: "")
    case "retval": return try result()
    case "probe": return .text(Array(context.spec.utf8))
    case "func":
      guard let function = context.function else { throw refusal("\(context.spec) has no function to name") }
      return .text(Array(function.utf8))
    case "kstack", "ustack": return try stack(isUser: name == "ustack")
    default: return try positional(Int(name.dropFirst(3)) ?? 0)
    }
  }

  private mutating func commandName() -> StringMemory {
    if let known = state.fetched["comm"] { return known }
    let memory = StringMemory(base: .slot(builder.newSlot(16), 0), capacity: 16, isPadded: true, isWhole: true)
    // The helper may leave garbage behind the name; in keys that would count.
    builder.store(memory.base, 0, .constant(0))
    builder.store(memory.base, 8, .constant(0))
    _ = builder.call(.getCurrentComm, memory.base, .constant(16))
    state.fetched["comm"] = memory
    return memory
  }

  private mutating func currentTask() throws(MoontraceError) -> Value {
    guard let graph = try types(), let type = graph.find("task_struct", .struct) else {
      throw refusal("this kernel has no type information (BTF)", "CONFIG_DEBUG_INFO_BTF is off")
    }
    return .pointer(Pointer(address: builder.call(.getCurrentTask), target: .kernel(type: type)))
  }

  // MARK: Functions

  mutating func callBuiltin(_ name: String, _ arguments: [Value]) throws(MoontraceError) -> [Value] {
    if name.hasPrefix("value.") { return [try calledValue(String(name.dropFirst(6)), arguments)] }
    switch name {
    case "str", "kstr": return [try text(at: arguments, isKernel: name == "kstr")]
    case "buf": return [try bytes(at: arguments)]
    case "ksym": return [.named(.kernelSymbol, [try address(arguments, name)])]
    case "usym":
      let process = builder.binary(.rsh, builder.call(.getCurrentPidTgid), .constant(32))
      return [.named(.userSymbol, [try address(arguments, name), process])]
    case "cast": return [try cast(arguments)]
    case "count", "sum", "avg", "min", "max", "stats", "hist", "lhist": return try feed(name, arguments)
    case "exit": return try leaveSession(arguments)
    case "ntop": return [try networkAddress(arguments)]
    case "print", "printf": return try printed(name, arguments)
    case let library where library.hasPrefix("math."): return [try mathematics(String(library.dropFirst(5)), arguments)]
    case let library where library.hasPrefix("string."):
      return try textFunction(String(library.dropFirst(7)), arguments)
    default:
      let instead = Self.instead(of: name)
      let hint = instead == nil ? suggestionHint(for: name, in: Self.functions) : ""
      throw refusal("a probe can't call '\(name)'\(hint)", instead)
    }
  }

  private mutating func address(_ arguments: [Value], _ name: String) throws(MoontraceError) -> IROperand {
    guard let value = arguments.first else { throw refusal("\(name): expected an address") }
    return try address(value, name)
  }

  mutating func address(_ value: Value, _ name: String) throws(MoontraceError) -> IROperand {
    try number(value) { "\(name): expected an address, got a \($0) value" }
  }

  private mutating func text(at arguments: [Value], isKernel: Bool) throws(MoontraceError) -> Value {
    guard let value = try arguments.first.map({ value throws(MoontraceError) in try decided(value) }) else {
      throw refusal("str: expected a pointer")
    }
    let limit = try limit(arguments)
    if value.alternatives.contains(where: { $0.kind == .string }) {
      return try limit.map { limit throws(MoontraceError) in try cut(value, to: limit) } ?? value
    }
    let address = try address(value, "str")
    let helper: Helper = isKernel || isInKernel(value) ? .probeReadKernelStr : .probeReadUserStr
    return isReachable ? readText(address, limit ?? 256, helper: helper) : .nil
  }

  /// How many bytes `str` is to read at most; nil when it isn't said.
  private func limit(_ arguments: [Value]) throws(MoontraceError) -> Int32? {
    guard arguments.count > 1 else { return nil }
    guard case .integer(let constant) = plain(arguments[1]), (1...Self.mostText).contains(constant) else {
      throw refusal("str: the limit is a constant from 1 to \(Self.mostText)")
    }
    return Int32(constant)
  }

  /// Whether a pointer leads into the kernel's memory; a number is taken for an address in user memory.
  func isInKernel(_ pointer: Value) -> Bool {
    pointer.alternatives.contains { alternative in
      if case .pointer(let pointer) = alternative, case .kernel = pointer.target { true } else { false }
    }
  }

  private mutating func cast(_ arguments: [Value]) throws(MoontraceError) -> Value {
    guard arguments.count == 2, case .text(let bytes) = plain(arguments[0]) else {
      throw refusal("cast: expected a type and an address", "cast(\"struct sock\", p)")
    }
    let graph = try kernelTypes()
    let (found, depth, name) = Self.find(String(decoding: bytes, as: UTF8.self), graph)
    guard let type = found else {
      let hint = suggestionHint(for: name, in: graph.names(.struct))
      throw refusal("cast: this kernel has no type '\(String(decoding: bytes, as: UTF8.self))'\(hint)")
    }
    // A pointer stays in the memory that it leads to; a number is taken for a kernel address.
    let pointer = plain(arguments[1])
    let isUser = pointer.alternatives.contains { alternative in
      guard case .pointer(let pointer) = alternative else { return false }
      if case .kernel = pointer.target { return false }
      return true
    }
    let target = isUser ? PointerTarget.user(type: type, depth: depth) : .kernel(type: type)
    return .pointer(Pointer(address: try address([pointer], "cast"), target: target))
  }

  /// `exit(code)` ends the run, and the session when the event has arrived.
  private mutating func leaveSession(_ arguments: [Value]) throws(MoontraceError) -> [Value] {
    let code = try number(arguments.first ?? .integer(0)) { "exit: expected a code, got a \($0) value" }
    if case .constant(let known) = code, !(0...255).contains(known) {
      throw refusal("an exit code is from 0 to 255, not \(known)")
    }
    guard isReachable else { return [] }
    try unless(.le, code, .constant(255)) { frontend throws(MoontraceError) in
      frontend.fail("exit: an exit code is from 0 to 255")
    }
    try send(.number(code), to: ProbeSchema.exitStream)
    finishRun()
    return []
  }

  private mutating func printed(_ name: String, _ arguments: [Value]) throws(MoontraceError) -> [Value] {
    var format = Array("%s".utf8)
    var items = arguments
    if name == "printf" {
      guard case .text(let text)? = arguments.first.map(plain) else {
        throw refusal("printf: the format is a constant text")
      }
      format = text
      items = Array(arguments.dropFirst())
      // Only %s takes a name.
      for (index, conversion) in Self.conversions(in: text).enumerated() where index < items.count {
        if conversion != UInt8(ascii: "s") { items[index] = withoutNames(items[index]) }
      }
    } else {
      format = Array(Array(repeating: "%s", count: arguments.count).joined(separator: "\t").utf8) + [10]
    }
    try send(newObject(.table(Table(items: items))), to: stream, format: format)
    return []
  }

  /// The letters of the conversions in a format: `d` of `%5d`.
  private static func conversions(in format: [UInt8]) -> [UInt8] {
    var letters: [UInt8] = []
    var rest = format[...]
    while let percent = rest.firstIndex(of: UInt8(ascii: "%")) {
      rest = rest[(percent + 1)...].drop { (0x20...0x39).contains($0) && $0 != UInt8(ascii: "%") }
      if let letter = rest.popFirst(), letter != UInt8(ascii: "%") { letters.append(letter) }
    }
    return letters
  }

  // MARK: Libraries

  /// What a library has under a name: a number, or a function.
  func libraryValue(_ name: String) -> Value {
    switch name {
    case "math.maxinteger": .integer(.max)
    case "math.mininteger": .integer(.min)
    case "math.pi": .float(.pi)
    case "math.huge": .float(.infinity)
    default: .builtin(name)
    }
  }

  private mutating func mathematics(_ name: String, _ arguments: [Value]) throws(MoontraceError) -> Value {
    guard let count = ["min": Int.max, "max": .max, "abs": 1, "tointeger": 1, "ult": 2][name] else {
      throw refusal("math.\(name) can't be used in a probe", "there are min, max, abs, ult and tointeger")
    }
    guard arguments.count >= (name == "ult" ? 2 : 1) else {
      fail("bad argument #\(arguments.count + 1) to '\(name)' (number expected, got no value)")
      return .nil
    }
    if name == "tointeger" { return try integer(from: arguments[0]) }
    var numbers: [IROperand] = []
    for (index, argument) in arguments.prefix(count).enumerated() {
      numbers.append(try number(argument) { "bad argument #\(index + 1) to '\(name)' (number expected, got \($0))" })
    }
    guard isReachable else { return .nil }
    let first = numbers[0]
    switch name {
    case "min": return .number(numbers.dropFirst().reduce(first) { select(.slt, $1, $0, $1, $0) })
    case "max": return .number(numbers.dropFirst().reduce(first) { select(.sgt, $1, $0, $1, $0) })
    case "abs": return .number(select(.slt, first, .constant(0), builder.negate(first), first))
    default: return .flag(builder.compare(.lt, first, numbers[1]))
    }
  }

  /// `math.tointeger`: nil for what is no number.
  private mutating func integer(from value: Value) throws(MoontraceError) -> Value {
    let value = try decided(value)
    switch value {
    case .mixed(let one, let other): throw mixed(one, other)
    case .float: throw refusal("floats can't be used in a probe", "use integers")
    case _ where value.alternatives.contains { $0.kind == .string }:
      throw refusal("math.tointeger: text can't be read as a number in a probe")
    case .choice(let choice):
      guard let number = choice.alternatives.first(where: { $0.kind == .integer }) else { return .nil }
      let isNumber = builder.compare(.eq, choice.tag, .constant(Kind.integer.rawValue))
      let tag = builder.binary(.mul, isNumber, .constant(Kind.integer.rawValue))
      return .choice(Value.Choice(tag: tag, alternatives: [.nil, number]))
    default: return value.number.map { .number($0) } ?? .nil
    }
  }

  private mutating func textFunction(_ name: String, _ arguments: [Value]) throws(MoontraceError) -> [Value] {
    switch name {
    case "len": return [try length(arguments.first ?? .nil, named: "")]
    case "find": return try find(arguments)
    case "startswith": return [try startsWith(arguments)]
    default:
      throw refusal("string.\(name) can't be used in a probe", "there are find, startswith, and # for the length")
    }
  }

  private mutating func startsWith(_ arguments: [Value]) throws(MoontraceError) -> Value {
    guard arguments.count == 2, case .text(let prefix) = plain(arguments[1]) else {
      throw refusal("string.startswith: the beginning to look for is a constant text")
    }
    let subject = try subject(arguments[0], of: "startswith")
    switch subject {
    case _ where !isReachable: return .nil
    case .text(let bytes): return .boolean(bytes.starts(with: prefix))
    case .string(let memory): return .flag(startsWith(memory, prefix, isWhole: false))
    default: throw refusal("string.startswith: expected text, got a \(subject.typeName)")
    }
  }
}
