import ProbeCompiler

/// Where the registers stand in what kprobes, uprobes and perf events hand over: `struct pt_regs`, on arm64 its part
/// `struct user_pt_regs` (asm/ptrace.h of each architecture).
enum Registers {
  #if arch(arm64)
    /// The first arguments of a function, in bytes from the start.
    static let arguments: [Int32] = (0..<8).map { 8 * $0 }
    static let result: Int32 = 0
    /// Bytes.
    static let size: Int32 = 272
  #else
    /// The first arguments of a function (rdi, rsi, rdx, rcx, r8, r9), in bytes from the start.
    static let arguments: [Int32] = [112, 104, 96, 88, 72, 64]
    /// rax
    static let result: Int32 = 80
    /// Bytes.
    static let size: Int32 = 168
  #endif

  /// `arg0` …
  static let words = arguments.prefix(6).map {
    ProbeContext.Argument.Source.word(offset: $0, width: .double, signed: true)
  }
}
