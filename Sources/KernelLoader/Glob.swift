/// A text in which `*` stands for any characters, none included.
struct Glob {
  let pattern: String
  /// What stands between the stars.
  private let parts: [[UInt8]]

  init(_ pattern: String) {
    self.pattern = pattern
    parts = pattern.utf8.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).map { Array($0) }
  }

  var isLiteral: Bool { parts.count == 1 }

  /// What every match begins with.
  var prefix: [UInt8] { parts.first ?? [] }

  func matches(_ text: String) -> Bool {
    guard let first = parts.first, let last = parts.last else { return text.isEmpty }
    if isLiteral { return text == pattern }
    var rest = Array(text.utf8)[...]
    guard rest.starts(with: first), rest.count >= first.count + last.count, rest.suffix(last.count).elementsEqual(last)
    else { return false }
    rest = rest.dropFirst(first.count).dropLast(last.count)
    // Each part in between at the first place where it fits: a later one would leave less for the others.
    for part in parts.dropFirst().dropLast() where !part.isEmpty {
      guard let end = Self.end(of: part, in: rest) else { return false }
      rest = rest[end...]
    }
    return true
  }

  private static func end(of part: [UInt8], in text: ArraySlice<UInt8>) -> Int? {
    guard text.count >= part.count else { return nil }
    for start in text.startIndex...text.endIndex - part.count where text[start...].starts(with: part) {
      return start + part.count
    }
    return nil
  }
}
