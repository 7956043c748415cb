import Glibc

extension LuaConstant: CustomStringConvertible {
  /// The constant as Lua text, on one line: `"a\n"`, `1.0`.
  public var description: String {
    switch self {
    case .nil: "nil"
    case .boolean(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .float(let value): Self.text(of: value)
    case .string(let bytes): "\"" + bytes.map(Self.text(of:)).joined() + "\""
    }
  }

  /// As Lua prints floats: 14 digits, and `.0` where they look like an integer.
  private static func text(of value: Double) -> String {
    var buffer = [CChar](repeating: 0, count: 64)
    let length = withVaList([value]) { vsnprintf(&buffer, buffer.count, "%.14g", $0) }
    let text = String(decoding: buffer.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return text.allSatisfy { $0.isNumber || $0 == "-" } ? text + ".0" : text
  }

  private static func text(of byte: UInt8) -> String {
    switch byte {
    case UInt8(ascii: "\""): "\\\""
    case UInt8(ascii: "\\"): "\\\\"
    case 0x07: "\\a"
    case 0x08: "\\b"
    case 0x0c: "\\f"
    case 0x0a: "\\n"
    case 0x0d: "\\r"
    case 0x09: "\\t"
    case 0x0b: "\\v"
    case 0x20..<0x7f: String(UnicodeScalar(byte))
    default: "\\" + String(repeating: "0", count: byte < 10 ? 2 : byte < 100 ? 1 : 0) + String(byte)
    }
  }
}
