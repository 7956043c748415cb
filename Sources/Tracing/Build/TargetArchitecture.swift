/// A kind of processor that programs in C are compiled for: which registers `PT_REGS_PARM1` and the like stand for
/// (libbpf's bpf_tracing.h). Those that BPF objects of this byte order load on.
public enum TargetArchitecture: String, CaseIterable, Sendable {
  case x86
  case arm64
  case arm
  case riscv
  case loongarch
  case powerpc
  case mips
  case arc

  #if arch(x86_64)
    public static let host = x86
  #elseif arch(arm64)
    public static let host = arm64
  #endif

  /// Also by what other tools call it: `x86_64`, `aarch64`.
  public init?(name: String) {
    let others = ["x86_64": "x86", "amd64": "x86", "aarch64": "arm64", "riscv64": "riscv", "ppc64le": "powerpc"]
    self.init(rawValue: others[name] ?? name)
  }
}
