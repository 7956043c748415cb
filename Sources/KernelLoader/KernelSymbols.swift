import Glibc
import Support

/// Names of addresses in the kernel, from /proc/kallsyms.
///
/// The file (10 MB) is read when the first address is asked for, which takes some tens of milliseconds.
///
/// ```swift
/// let symbols = KernelSymbols()
/// print(symbols.symbol(at: address)?.description ?? "?")  // do_sys_openat2+0x9
/// ```
public final class KernelSymbols {
  private struct Contents {
    var table = SymbolTable()
    var hidden = true
  }

  private lazy var contents: Contents = Self.read()

  public init() {}

  /// Whether the kernel shows this process no addresses (all are zero): `kernel.kptr_restrict`, or no CAP_SYSLOG.
  public var areHidden: Bool { contents.hidden }

  /// Why they are hidden, with the remedy.
  public var whyHidden: String {
    let setting = (try? readFile("/proc/sys/kernel/kptr_restrict"))?.first
    return setting == UInt8(ascii: "2")
      ? "kernel.kptr_restrict is 2 (sysctl kernel.kptr_restrict=1)" : "this process has no CAP_SYSLOG (run as root)"
  }

  /// The function at an address; nil when there is none or addresses are hidden.
  public func symbol(at address: UInt64) -> Symbol? {
    guard let found = contents.table.find(address) else { return nil }
    // A module's name is kept behind the symbol's with a tab between, as the file has it.
    let parts = found.name.split(separator: "\t", maxSplits: 1)
    guard let name = parts.first else { return nil }
    let module = parts.count > 1 ? String(parts[1].drop { $0 == "[" }.prefix { $0 != "]" }) : nil
    return Symbol(name: String(name), offset: found.offset, module: module)
  }

  /// The same as `!areHidden` without reading all: the first of the kernel's addresses, of which some may truly be zero.
  static func areShown() -> Bool {
    let opened = open("/proc/kallsyms", O_RDONLY | O_CLOEXEC)
    guard opened >= 0 else { return false }
    let file = OwnedDescriptor(opened)
    var start = [UInt8](repeating: 0, count: 4096)
    let count = Glibc.read(file.number, &start, start.count)
    let lines = start.prefix(max(0, count)).split(separator: UInt8(ascii: "\n"))
    return lines.contains { line in
      line.prefix { $0 != UInt8(ascii: " ") }.contains { hexDigit($0) ?? 0 != 0 }
    }
  }

  private static func read() -> Contents {
    var contents = Contents()
    guard let bytes = try? readFile("/proc/kallsyms") else { return contents }
    contents.table.reserve(bytes.count / 45)
    bytes.withUnsafeBufferPointer { parse($0, &contents) }
    contents.table.sort()
    return contents
  }

  /// Lines of `address type name[\t[module]]`; only code (t, T, w, W) is kept.
  private static func parse(_ bytes: UnsafeBufferPointer<UInt8>, _ contents: inout Contents) {
    var position = 0
    while position < bytes.count {
      var address: UInt64 = 0
      while position < bytes.count, let digit = hexDigit(bytes[position]) {
        address = address << 4 | UInt64(digit)
        position += 1
      }
      var end = position
      while end < bytes.count, bytes[end] != UInt8(ascii: "\n") { end += 1 }
      // After the address: a space, the type, a space, the name.
      if end - position > 3, isCode(bytes[position + 1]), address != 0 {
        contents.hidden = false
        contents.table.append(address: address, size: 0, name: bytes[position + 3..<end])
      }
      position = end + 1
    }
  }

  private static func isCode(_ type: UInt8) -> Bool {
    [UInt8(ascii: "t"), UInt8(ascii: "w")].contains(type | 0x20)
  }

  private static func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    default: nil
    }
  }
}
