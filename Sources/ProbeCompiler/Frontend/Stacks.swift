import BPFAssembly
import Support

// Stack traces.
extension Frontend {
  /// Frames that a stack trace may have: the kernel's `perf_event_max_stack` at its default.
  static let deepestStack: Int32 = 127

  /// `kstack(n)`, `ustack(n)`.
  mutating func stack(isUser: Bool, _ arguments: [Value] = []) throws(MoontraceError) -> Value {
    // The kernel takes it for the probe's context, which a loop's body does not have.
    guard loopOutcomes.isEmpty else {
      let name = isUser ? "ustack" : "kstack"
      throw refusal("\(name) has to be taken outside of loops", "local stack = \(name), before the loop")
    }
    guard let argument = arguments.first else { return stack(isUser: isUser, Self.deepestStack) }
    guard case .integer(let depth) = plain(argument), (1...Int64(Self.deepestStack)).contains(depth) else {
      let name = isUser ? "ustack" : "kstack"
      throw refusal("\(name): the number of frames is a constant from 1 to \(Self.deepestStack)")
    }
    return stack(isUser: isUser, Int32(depth))
  }

  /// The id of a stack in the map for stacks of its depth; with the process when it is a user stack.
  private mutating func stack(isUser: Bool, _ frames: Int32) -> Value {
    let own = isUser ? nil : ownFrames
    let depth = min(Self.deepestStack, frames + (own?.others ?? 0))
    let flags = isUser ? 256 : own?.certain ?? 0  // BPF_F_USER_STACK, BPF_F_SKIP_FIELD_MASK
    let map = IROperand.map(builder.reference(.stacks(depth: depth)))
    let id = builder.call(.getStackid, contextValue, map, .constant(flags))
    guard isUser else { return .named(.kernelStack(depth: depth, frames: own.map { _ in frames }), [id]) }
    return .named(
      .userStack(depth: depth), [id, builder.binary(.rsh, builder.call(.getCurrentPidTgid), .constant(32))])
  }

  /// Frames above the traced function: those that are there for certain, the program's own and that of
  /// `bpf_trace_run…` or of the trampoline, and others that there usually are (`__bpf_trace_…`), which the user half
  /// leaves out by name; nil where the stack begins at the probe's place.
  ///
  /// With several programs at one tracepoint there is one more (`__traceiter_…`): then a frame less is shown. Room for
  /// it would tell stacks apart by a frame that is not shown.
  private var ownFrames: (certain: Int64, others: Int32)? {
    switch context.kind {
    case .rawTracepoint: (2, 1)
    case .functionEntry, .functionExit: (2, 0)
    // `perf_syscall_enter`, `__traceiter_sys_enter`; below them all stacks are the same.
    case .tracepoint: (0, context.spec.hasPrefix("tracepoint:syscalls:") ? 2 : 0)
    default: nil
    }
  }
}
