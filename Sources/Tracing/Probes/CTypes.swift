import BPFAssembly
import BTF
import KernelLoader
import Support

/// Types as C text spells them.
enum CTypes {
  private static let known: [String: (Width, signed: Bool)] = [
    "int": (.word, true), "unsigned int": (.word, false), "unsigned": (.word, false), "u32": (.word, false),
    "__u32": (.word, false), "pid_t": (.word, true), "uid_t": (.word, false), "gid_t": (.word, false),
    "umode_t": (.half, false), "mode_t": (.word, false), "key_serial_t": (.word, true), "clockid_t": (.word, true),
    "const clockid_t": (.word, true), "timer_t": (.word, true), "mqd_t": (.word, true), "qid_t": (.word, false),
    "rwf_t": (.word, true), "__s32": (.word, true), "s32": (.word, true), "u16": (.half, false), "short": (.half, true),
    "enum": (.word, false), "long": (.double, true), "unsigned long": (.double, false), "size_t": (.double, false),
    "loff_t": (.double, true), "off_t": (.double, true), "u64": (.double, false), "__u64": (.double, false),
  ]

  /// Bytes and sign of a number's type; nil for types that neither C nor the kernel has.
  static func form(of spelling: String) -> (Width, signed: Bool)? {
    if let known = known[spelling] { return known }
    guard let types = try? KernelTypes.graph() else { return nil }
    let name = spelling.split(separator: " ").last.map(String.init) ?? ""
    guard let id = spelling.hasPrefix("enum ") ? types.find(name, .enum) : types.find(name, .typedef, .integer),
      let layout = try? types.layout(of: id)
    else { return nil }
    switch layout {
    case .integer(let size, let signed), .enumeration(let size, let signed, _): return (Width(bytes: size), signed)
    case .boolean(let size): return (Width(bytes: size), false)
    default: return nil
    }
  }

  static func isByte(_ spelling: String) -> Bool {
    ["char", "unsigned char", "signed char", "u8", "__u8", "uint8_t", "s8"].contains(spelling)
  }
}

/// What pointers in the kernel lead to.
enum KernelPointee {
  /// The BTF type behind `const struct sock *`; 0 for `void *`, for pointers to pointers and for types that the kernel
  /// has no description of.
  static func find(_ spelling: String) throws(MoontraceError) -> TypeID {
    guard spelling.filter({ $0 == "*" }).count == 1, KernelFeatures.typeInformation.isAvailable else { return 0 }
    let words = spelling.split { $0 == " " || $0 == "*" }.map(String.init)
      .filter { !["const", "volatile", "__user", "__rcu"].contains($0) }
    guard let last = words.last, last != "void" else { return 0 }
    let types = try KernelTypes.graph()
    let found =
      switch words.first {
      case "struct": types.find(last, .struct)
      case "union": types.find(last, .union)
      case "enum": types.find(last, .enum)
      default: types.find(words.joined(separator: " "), .integer, .typedef)
      }
    return found.map(types.resolve) ?? 0
  }
}
