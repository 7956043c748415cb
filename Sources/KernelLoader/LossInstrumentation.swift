import BPFAssembly

/// Rewrites a program so that every event it fails to send is counted.
///
/// A call of an output helper is replaced in place by a jump to a trampoline behind the program's last instruction,
/// which calls the helper, counts a failure and jumps back. No instruction moves, so jumps, line info and relocations
/// stay right; r1 to r5 are dead after a call, so the trampoline may use them.
struct LossInstrumentation: Equatable {
  /// Where the counter lives: the descriptor of an array map with one element, and bytes into its value.
  struct Counter: Equatable {
    var map: Int32
    var offset: Int32
  }

  /// The whole program, original length first, trampolines behind.
  var instructions: [Instruction]
  /// Length of the original program.
  let originalCount: Int
  /// Index of the original call by trampoline, in order.
  let calls: [Int]
  /// Output calls that are too far from the end for a 16-bit jump and stay uncounted.
  let uncounted: Int

  static let trampolineLength = 9

  /// Nothing happens (`calls` is empty) to a program that sends no events.
  init(_ original: [Instruction], counter: Counter) {
    var instructions = original
    var calls: [Int] = []
    var uncounted = 0
    for index in Self.outputCalls(in: original) {
      let target = instructions.count
      // Both jumps must fit: there from `index`, and back from the trampoline's end.
      guard target + Self.trampolineLength - index <= Int(Int16.max) else {
        uncounted += 1
        continue
      }
      instructions += Self.trampoline(for: original[index], at: target, back: index + 1, counter)
      instructions[index] = .jump(Int16(target - index - 1))
      calls.append(index)
    }
    self.instructions = instructions
    self.originalCount = original.count
    self.calls = calls
    self.uncounted = uncounted
  }

  /// Where the instructions call a helper that sends an event.
  static func outputCalls(in instructions: [Instruction]) -> [Int] {
    Instruction.indices(ofCallsIn: instructions).filter { Helper.isOutput(instructions[$0].helper ?? 0) }
  }

  /// The index in the original program that an index in the rewritten one stands for; nil behind the trampolines,
  /// where libbpf appends subprograms.
  func originalIndex(_ index: Int) -> Int? {
    if index < originalCount { return index }
    let trampoline = (index - originalCount) / Self.trampolineLength
    return calls.indices.contains(trampoline) ? calls[trampoline] : nil
  }

  private static func trampoline(
    for call: Instruction, at start: Int, back: Int, _ counter: Counter
  ) -> [Instruction] {
    // reserve answers with a pointer, NULL when it fails; the others with 0 or a negative errno. What is tested is the
    // negated copy, a plain number: kernels before 6.6 forget that the pointer may be NULL once it has been compared,
    // and then take the program's own check for a path that leaks the reservation.
    let jumpIfSent: UInt8 = call.helper == Helper.ringbufReserve.rawValue ? 0x55 : 0x15  // jne, jeq with an immediate
    let last = start + trampolineLength - 1
    return [
      call,
      Instruction(code: 0xbf, destination: 1, source: 0),  // r1 = r0
      Instruction(code: 0x87, destination: 1),  // r1 = -r1
      Instruction(code: jumpIfSent, destination: 1, offset: 4, immediate: 0),
      Instruction(code: 0x18, destination: 1, source: 2, immediate: counter.map),  // r1 = address inside map value
      Instruction(code: 0, immediate: counter.offset),
      Instruction(code: 0xb7, destination: 2, immediate: 1),  // r2 = 1
      Instruction(code: 0xdb, destination: 1, source: 2),  // lock *(u64 *)(r1 + 0) += r2
      .jump(Int16(back - last - 1)),
    ]
  }
}
