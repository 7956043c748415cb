import CLibbpf
import Glibc
import Support

/// What the kernel's security modules say about themselves in securityfs.
enum SecurityFiles {
  /// The lockdown mode: `none`, `integrity` or `confidentiality`; nil when it can't be read.
  static func lockdown() -> String? {
    // A kernel without lockdown has no such file.
    guard let text = text("lockdown") else { return modules() == nil ? nil : "none" }
    // The chosen one stands in brackets.
    guard let open = text.firstIndex(of: "["), let close = text.firstIndex(of: "]") else { return nil }
    return String(text[text.index(after: open)..<close])
  }

  /// The active security modules in their order, `capability` first or second; nil when they can't be read.
  static func modules() -> [String]? {
    text("lsm").map { $0.split(whereSeparator: { $0 == "," || $0 == "\n" }).map(String.init) }
  }

  /// A file's text, from /sys/kernel/security or, where that is not mounted, from an instance of our own.
  private static func text(_ name: String) -> String? {
    if let bytes = try? readFile("/sys/kernel/security/\(name)") { return String(decoding: bytes, as: UTF8.self) }
    let root = mt_filesystem("securityfs")
    guard root >= 0 else { return nil }
    let directory = OwnedDescriptor(root)
    let opened = openat(directory.number, name, O_RDONLY | O_CLOEXEC)
    guard opened >= 0 else { return nil }
    let file = OwnedDescriptor(opened)
    return (try? readAll(file.number, name: name)).map { String(decoding: $0, as: UTF8.self) }
  }
}
