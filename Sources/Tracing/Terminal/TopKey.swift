/// A key of the live view.
enum TopKey: Equatable {
  case left, right, up, down, pageUp, pageDown, home, end, tab
  case character(Character)
}

/// What a terminal sends, as keys; a sequence may come in parts.
struct TopKeyReader {
  private var pending: [UInt8] = []

  mutating func keys(_ bytes: some Sequence<UInt8>) -> [TopKey] {
    pending += bytes
    var keys: [TopKey] = []
    var rest = pending[...]
    while let byte = rest.first {
      if byte == 0x1b {
        guard let length = sequenceLength(rest) else { break }
        if let key = Self.named[Array(rest.dropFirst().prefix(length - 1))] { keys.append(key) }
        rest = rest.dropFirst(length)
      } else {
        if byte == 0x09 { keys.append(.tab) }
        if (0x20..<0x7f).contains(byte) { keys.append(.character(Character(Unicode.Scalar(byte)))) }
        rest = rest.dropFirst()
      }
    }
    pending = Array(rest)
    return keys
  }

  /// Bytes of the escape sequence at the front; nil while its end has not come.
  private func sequenceLength(_ bytes: ArraySlice<UInt8>) -> Int? {
    guard let second = bytes.dropFirst().first else { return nil }
    if second == UInt8(ascii: "O") { return bytes.count >= 3 ? 3 : nil }
    guard second == UInt8(ascii: "[") else { return 1 }  // the Escape key
    let final = bytes.dropFirst(2).firstIndex { (0x40...0x7e).contains($0) }
    return final.map { $0 - bytes.startIndex + 1 }
  }

  /// xterm's sequences without the escape, in normal and in application mode.
  private static let named: [[UInt8]: TopKey] = {
    let texts: [String: TopKey] = [
      "[A": .up, "[B": .down, "[C": .right, "[D": .left, "OA": .up, "OB": .down, "OC": .right, "OD": .left,
      "[5~": .pageUp, "[6~": .pageDown, "[H": .home, "[F": .end, "OH": .home, "OF": .end, "[1~": .home, "[4~": .end,
    ]
    return Dictionary(uniqueKeysWithValues: texts.map { (Array($0.key.utf8), $0.value) })
  }()
}
