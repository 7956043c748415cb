import Support

/// How large JSON and YAML texts may be; no package comes near, and what is larger would only take memory.
enum TextLimits {
  /// A package of the largest object, 64 MiB, has 86 MiB of base64.
  static let bytes = 128 << 20
  /// Objects and arrays in each other.
  static let depth = 128
  /// Values of all kinds.
  static let values = 1_000_000

  static func check(_ text: [UInt8], name: String) throws(MoontraceError) {
    guard text.count <= bytes else {
      throw MoontraceError(.scriptFailed, "\(name): \(text.count) bytes of text; at most \(bytes >> 20) MiB are read")
    }
  }
}
