import CDigest

/// The SHA-256 of some bytes (FIPS 180-4), which names them: `sha256:…`.
///
/// ```swift
/// print(Digest(of: try readFile("package.json")))
/// ```
public struct Digest: Hashable, Sendable, CustomStringConvertible {
  /// 32 of them.
  public let bytes: [UInt8]

  public init(of message: [UInt8]) {
    bytes = [UInt8](unsafeUninitializedCapacity: Int(SHA256_DIGEST_LENGTH)) { buffer, count in
      var context = SHA2_CTX()
      SHA256Init(&context)
      SHA256Update(&context, message, message.count)
      SHA256Final(buffer.baseAddress, &context)
      count = buffer.count
    }
  }

  /// 64 hexadecimal digits of either case; nil for anything else.
  public init?(hex: some StringProtocol) {
    let digits = hex.utf8.compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
    guard digits.count == 64, hex.utf8.count == 64 else { return nil }
    bytes = stride(from: 0, to: 64, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }

  /// `sha256:HEX`, as `description` spells it; nil for anything else.
  public init?(_ text: some StringProtocol) {
    guard text.hasPrefix("sha256:") else { return nil }
    self.init(hex: text.dropFirst("sha256:".count))
  }

  /// 64 digits, lower case.
  public var hex: String {
    bytes.map { ($0 < 0x10 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  public var description: String { "sha256:\(hex)" }
}
