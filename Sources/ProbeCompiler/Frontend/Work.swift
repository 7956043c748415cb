import LuaBytecode
import Support

/// What compiling one probe has cost so far.
///
/// Shared by all tries of a loop: what a try that is thrown away has cost counts, too, so that no script keeps the
/// compiler busy for long.
final class Work {
  /// The most instructions of Lua that are followed for one probe: about a hundred times as many as a long one has.
  static let mostSteps = 40_000

  /// The most functions that are compiled into one probe.
  static let mostCalls = 1_000

  private(set) var steps = 0
  private(set) var calls = 0
  /// By function, how often it was compiled in place, and what it is called.
  private var copies: [HostReference: (count: Int, name: String)] = [:]

  /// Counts an instruction; false when there were too many.
  func step() -> Bool {
    steps += 1
    return steps <= Self.mostSteps
  }

  /// Counts a call that is compiled in place; false when there were too many.
  func enter(_ function: HostReference, _ name: String) -> Bool {
    calls += 1
    copies[function, default: (0, name)].count += 1
    return calls <= Self.mostCalls
  }

  /// The function that was compiled in place most often, and how often.
  var mostCopied: (name: String, count: Int)? {
    copies.max { ($0.value.count, $1.key.number) < ($1.value.count, $0.key.number) }.map {
      ($0.value.name, $0.value.count)
    }
  }
}

extension Frontend {
  /// The error for a probe that grows beyond what is sensible.
  func tooLarge() -> MoontraceError {
    guard let (name, count) = work.mostCopied, count > 1 else {
      return refusal("this probe is too large", "split it: several probes may share maps")
    }
    return refusal(
      "this probe is too large: calls are compiled in place, \(name) \(count) times so far",
      "call it in fewer places, or in a loop")
  }

  /// How messages call the function that a register holds at the instruction at hand: `'f'`, or where it stands.
  func calledName(_ register: Int, _ prototype: LuaPrototype) -> String {
    if let name = sourceName(of: register) { return "'\(name)'" }
    return "the function at line \(prototype.lineDefined)"
  }

  /// The variable or field that the instructions before this one have put into a register.
  private func sourceName(of register: Int) -> String? {
    if let name = frame.prototype.localName(register: register, at: pc) { return name }
    for index in stride(from: pc - 1, through: 0, by: -1) where RegisterUse(code, index).written.contains(register) {
      let i = code[index]
      switch i.opcode {
      case .getUpval: return frame.prototype.upvalues[i.b].name
      case .move: return frame.prototype.localName(register: i.b, at: pc)
      case .getTabUp, .getField:
        guard case .string(let bytes) = constants[i.c] else { return nil }
        return String(decoding: bytes, as: UTF8.self)
      default: return nil
      }
    }
    return nil
  }
}
