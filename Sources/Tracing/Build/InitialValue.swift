import BTF
import KernelLoader
import Packages
import Support

extension GlobalVariable {
  /// Its type as packages spell it: without qualifiers, integers by C's own words. eunomia-bpf's loader knows those, and
  /// `bool` and `pid_t`.
  var packagedType: String {
    var text = typeName
    for qualifier in ["const ", "volatile "] where text.hasPrefix(qualifier) { text.removeFirst(qualifier.count) }
    switch layout {
    case .boolean: return "bool"
    case .integer(let size, let isSigned): return text == "pid_t" ? text : Self.words(size, isSigned) ?? text
    default: return text
    }
  }

  private static func words(_ size: Int, _ isSigned: Bool) -> String? {
    let word: String? =
      switch size {
      case 1: "char"
      case 2: "short"
      case 4: "int"
      case 8: "long long"
      default: nil
      }
    return word.map { isSigned ? (size == 1 ? "signed \($0)" : $0) : "unsigned \($0)" }
  }

  /// The value that the program gives it, for a package; nil for zero, which is what a loader takes anyway, and for types
  /// whose values that loader does not take from a package: it leaves those as they are in the object.
  func initialValue() throws(MoontraceError) -> JSONValue? {
    let bytes = try read()
    guard bytes.contains(where: { $0 != 0 }) else { return nil }
    switch layout {
    case .boolean: return .boolean(true)
    case .integer(let size, let isSigned) where [2, 4, 8].contains(size): return number(bytes, isSigned)
    case .text(let count) where count > 1: return text(bytes)
    default: return nil
    }
  }

  private func number(_ bytes: [UInt8], _ isSigned: Bool) -> JSONValue {
    var bits: UInt64 = 0
    for byte in bytes.reversed() { bits = bits << 8 | UInt64(byte) }
    let shift = UInt64(64 - 8 * bytes.count)
    if isSigned { return .integer(Int64(bitPattern: bits << shift) >> Int64(shift)) }
    return Int64(exactly: bits).map(JSONValue.integer) ?? .unsigned(bits)
  }

  /// Only what is text up to its NUL, and nothing behind.
  private func text(_ bytes: [UInt8]) -> JSONValue? {
    let text = bytes.prefix { $0 != 0 }
    guard text.count < bytes.count, bytes.dropFirst(text.count).allSatisfy({ $0 == 0 }) else { return nil }
    return String(validating: text, as: UTF8.self).map(JSONValue.string)
  }
}
