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

  /// 64 digits, lower case.
  public var hex: String {
    bytes.map { ($0 < 0x10 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  public var description: String { "sha256:\(hex)" }
}
