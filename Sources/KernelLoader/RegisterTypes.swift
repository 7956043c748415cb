import BTF

/// Whose registers a program reads. BPF code itself runs on every processor; what `PT_REGS_PARM1` and the like of libbpf's
/// bpf_tracing.h stand for is decided when it is compiled, and shows in the struct that it is taken from.
enum RegisterTypes {
  /// A struct and a member that only one kind of processor's has (arch/*/include/asm/ptrace.h of the kernel), and that
  /// kind as `moontrace build --arch` calls it.
  private static let marks: [(type: String, member: String, architecture: String)] = [
    ("user_pt_regs", "pstate", "arm64"), ("user_pt_regs", "orig_a0", "loongarch"), ("user_pt_regs", "psw", "s390"),
    ("user_regs_struct", "a0", "riscv"), ("pt_regs", "epc", "riscv"), ("pt_regs", "r15", "x86"),
    ("pt_regs", "uregs", "arm"), ("pt_regs", "gpr", "powerpc"), ("pt_regs", "cp0_epc", "mips"),
  ]

  #if arch(x86_64)
    static let host = "x86"
  #elseif arch(arm64)
    static let host = "arm64"
  #endif

  static func architecture(_ types: TypeGraph) -> String? {
    marks.first { mark in
      types.find(mark.type, .struct).map { types.memberNames(of: $0).contains(mark.member) } ?? false
    }?.architecture
  }

  /// The foreign kind of processor whose registers a relocation is about: `<byte_off> [12] struct user_pt_regs.regs[0]`.
  static func foreign(_ relocation: String, _ types: TypeGraph) -> String? {
    guard marks.contains(where: { relocation.contains("struct \($0.type).") }) else { return nil }
    return architecture(types).flatMap { $0 == host ? nil : $0 }
  }
}

extension BPFObject {
  /// The kind of processor whose registers its programs read, as `moontrace build --arch` calls it (`x86`, `arm64`); nil
  /// when they read none, or nothing tells.
  public var registerArchitecture: String? { RegisterTypes.architecture(types) }
}
