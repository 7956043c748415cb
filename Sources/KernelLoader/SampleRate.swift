/// How often a program runs that a counted event calls.
public enum SampleRate: Equatable, Sendable {
  /// Every so many events.
  case count(UInt64)
  /// So many times a second, to which the kernel fits the count.
  case hertz(UInt64)

  /// Reads `COUNT` or `HZhz`; nil for what is neither, or out of range.
  init?(_ text: String) {
    if text.hasSuffix("hz") {
      guard let hertz = UInt64(text.dropLast(2)), (1...100_000).contains(hertz) else { return nil }
      self = .hertz(hertz)
    } else {
      guard let count = UInt64(text), count > 0 else { return nil }
      self = .count(count)
    }
  }
}

extension SampleRate: CustomStringConvertible {
  public var description: String {
    switch self {
    case .count(let count): "\(count)"
    case .hertz(let hertz): "\(hertz)hz"
    }
  }
}
