import BPFAssembly
import Support

// Functions about the place that was hit, and those that change what happens there: registers, signals, results.
extension Frontend {
  static let placeFunctions: Set<String> = ["reg", "signal", "override"]

  mutating func callPlaceFunction(_ name: String, _ arguments: [Value]) throws(MoontraceError) -> [Value] {
    switch name {
    case "reg": return [try register(arguments)]
    case "signal": return [try sendSignal(arguments)]
    default:
      try override(arguments)
      return []
    }
  }

  // MARK: Registers

  /// `reg("ip")`: what a register held where the probe was hit.
  private mutating func register(_ arguments: [Value]) throws(MoontraceError) -> Value {
    guard case .text(let bytes)? = arguments.first.map(plain) else {
      throw refusal("reg: expected the constant name of a register", "reg(\"ip\")")
    }
    guard !context.registers.isEmpty else {
      throw refusal(
        "\(context.spec) hands over no registers",
        "they are there in kprobe, kretprobe, uprobe, uretprobe, usdt, profile, interval, software and hardware probes")
    }
    let name = String(decoding: bytes, as: UTF8.self)
    guard let offset = context.registers[name] else {
      let hint = suggestionHint(for: name, in: context.registers.keys.sorted())
      throw refusal("there is no register '\(name)'\(hint)", hint.isEmpty ? registerNames : nil)
    }
    return .number(word(.word(offset: offset, width: .double, signed: true)))
  }

  /// Each register once, by its shortest name, in the order in which they lie in memory.
  private var registerNames: String {
    let shortest = Dictionary(grouping: context.registers, by: \.value).mapValues { same in
      same.map(\.key).min { ($0.count, $0) < ($1.count, $1) } ?? ""
    }
    return "there are " + shortest.sorted { $0.key < $1.key }.map(\.value).joined(separator: ", ")
  }

  // MARK: What changes the system

  private func requirePermission(for change: KernelChange) throws(MoontraceError) {
    guard let objection = objection(change) else { return }
    var error = refusal(objection.message, objection.remedy)
    error.code = objection.code
    throw error
  }

  /// `signal(n)` to the process that hit the probe; whether it was sent.
  private mutating func sendSignal(_ arguments: [Value]) throws(MoontraceError) -> Value {
    guard context.kind != .iterator else {
      throw refusal("an iterator runs in Moontrace itself: there is no process to signal")
    }
    let number = try signalNumber(arguments)
    try requirePermission(for: .signal)
    guard isReachable else { return .nil }
    return .flag(builder.compare(.eq, builder.call(.sendSignal, number), .constant(0)))
  }

  private mutating func signalNumber(_ arguments: [Value]) throws(MoontraceError) -> IROperand {
    guard let value = arguments.first.map(plain) else {
      throw refusal("signal: expected a signal", "signal(\"KILL\"), or its number")
    }
    if case .text(let bytes) = value {
      let name = String(decoding: bytes, as: UTF8.self)
      if let number = SignalNames.number(of: name) { return .constant(Int64(number)) }
      throw refusal("there is no signal '\(name)'\(suggestionHint(for: name, in: SignalNames.all))")
    }
    let number = try number(value) { "signal: expected a signal's name or number, got a \($0) value" }
    if let constant = number.constant, !(1...64).contains(constant) {
      throw refusal("there is no signal \(constant)", "signals are 1 to 64")
    }
    return number
  }

  /// `override(value)`: the function that was hit returns at once, and that.
  private mutating func override(_ arguments: [Value]) throws(MoontraceError) {
    guard context.kind == .kernelProbe, context.isFunctionEntry else {
      throw refusal(
        "override works where a kernel function begins: \(context.spec) is no such place", "use kprobe:FUNCTION")
    }
    guard loopOutcomes.isEmpty else {
      throw refusal("override can't be called in a loop", "keep the value in a local, and call it behind the loop")
    }
    guard let value = arguments.first else { throw refusal("override: expected what the function is to return") }
    let result = try number(value) { "override: expected a number, got a \($0) value" }
    try requirePermission(for: .override)
    guard isReachable else { return }
    _ = builder.call(.overrideReturn, contextValue, result)
  }
}

/// What a probe can do to the system beyond watching it.
public enum KernelChange: Sendable {
  /// `signal(n)`
  case signal
  /// `override(value)`
  case override
}

/// The signals of Linux by name (asm-generic/signal.h; the numbers are those of x86-64 and arm64).
enum SignalNames {
  /// From 1 on.
  private static let names = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
    "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO",
    "PWR", "SYS",
  ]

  /// With and without `SIG`.
  static let all = names + names.map { "SIG" + $0 }

  static func number(of name: String) -> Int? {
    all.firstIndex(of: name).map { $0 % names.count + 1 }
  }
}
