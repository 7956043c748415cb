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
    /// By the kernel's names.
    static let named: [String: Int32] = {
      var named = Dictionary(uniqueKeysWithValues: (0...30).map { ("r\($0)", Int32(8 * $0)) })
      named["sp"] = 248
      named["pc"] = 256
      named["pstate"] = 264
      return named
    }()
  #else
    /// The first arguments of a function (rdi, rsi, rdx, rcx, r8, r9), in bytes from the start.
    static let arguments: [Int32] = [112, 104, 96, 88, 72, 64]
    /// rax
    static let result: Int32 = 80
    /// Bytes.
    static let size: Int32 = 168
    /// By the kernel's names, and those of the processor's manual: `ip` and `rip`.
    static let named: [String: Int32] = {
      let names = [
        "r15", "r14", "r13", "r12", "bp", "bx", "r11", "r10", "r9", "r8", "ax", "cx", "dx", "si", "di", "orig_ax", "ip",
        "cs", "flags", "sp", "ss",
      ]
      var named: [String: Int32] = ["orig_rax": 120]
      for (index, name) in names.enumerated() {
        named[name] = Int32(8 * index)
        if name.count == 2, !["cs", "ss", "r8", "r9"].contains(name) { named["r" + name] = Int32(8 * index) }
      }
      named["rflags"] = named["flags"]
      return named
    }()
  #endif

  /// `arg0` …
  static let words = arguments.prefix(6).map {
    ProbeContext.Argument.Source.word(offset: $0, width: .double, signed: true)
  }
}
