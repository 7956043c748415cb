/// How many columns a terminal shows text in, and text cut to a number of columns.
///
/// `wcwidth` would need a locale, and a libc that has one of UTF-8. Columns are counted by scalars, as terminals do.
enum DisplayWidth {
  /// Columns of a text without control characters.
  static func of(_ text: String) -> Int {
    text.unicodeScalars.reduce(0) { $0 + columns(of: $1) }
  }

  /// The text at exactly `width` columns: cut, or filled with blanks on the left or on the right.
  static func fit(_ text: String, _ width: Int, toRight: Bool = false) -> String {
    let shown = clip(text, width)
    let blanks = String(repeating: " ", count: max(0, width - of(visible(shown))))
    return toRight ? blanks + shown : shown + blanks
  }

  /// At most `width` columns of a line, tabs as blanks. Colours (SGR sequences) stay and end with the text; other control
  /// characters show as `?`, so that no text drives the terminal.
  static func clip(_ line: String, _ width: Int) -> String {
    var result = String.UnicodeScalarView()
    var shown = 0
    var isColored = false
    var rest = line.unicodeScalars[...]
    while let scalar = rest.first {
      if let sequence = colorSequence(rest) {
        result.append(contentsOf: sequence)
        rest = rest[sequence.endIndex...]
        isColored = true
        continue
      }
      rest = rest.dropFirst()
      let piece = printable(scalar, at: shown)
      let size = piece.unicodeScalars.reduce(0) { $0 + columns(of: $1) }
      if shown + size > width { break }
      result.append(contentsOf: piece.unicodeScalars)
      shown += size
    }
    return String(result) + (isColored ? "\u{1b}[0m" : "")
  }

  /// A tab stop each eight columns.
  private static func printable(_ scalar: Unicode.Scalar, at column: Int) -> String {
    if scalar == "\t" { return String(repeating: " ", count: 8 - column % 8) }
    return scalar.properties.generalCategory == .control ? "?" : String(scalar)
  }

  private static func visible(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    var rest = text.unicodeScalars[...]
    while let scalar = rest.first {
      if let sequence = colorSequence(rest) {
        rest = rest[sequence.endIndex...]
      } else {
        result.append(scalar)
        rest = rest.dropFirst()
      }
    }
    return String(result)
  }

  /// The SGR sequence that the text begins with.
  private static func colorSequence(
    _ text: Substring.UnicodeScalarView
  ) -> Substring.UnicodeScalarView? {
    guard text.first == "\u{1b}", text.dropFirst().first == "[" else { return nil }
    let end = text.dropFirst(2).firstIndex { !("0"..."9").contains($0) && $0 != ";" }
    guard let end, text[end] == "m" else { return nil }
    return text[...end]
  }

  /// Columns of one scalar: none for what combines with the one before, two for what is wide or an emoji.
  static func columns(of scalar: Unicode.Scalar) -> Int {
    if scalar.value < 0x300 { return scalar == "\u{ad}" ? 0 : 1 }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: break
    }
    if scalar.properties.isEmojiPresentation { return 2 }
    return wide.contains { $0.contains(scalar.value) } ? 2 : 1
  }

  /// East Asian Wide and Fullwidth (Unicode 15, EastAsianWidth.txt), by blocks.
  private static let wide: [ClosedRange<UInt32>] = [
    0x1100...0x115f, 0x2e80...0x303e, 0x3041...0x33ff, 0x3400...0x4dbf, 0x4e00...0xa4cf, 0xa960...0xa97f,
    0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f, 0xff00...0xff60, 0xffe0...0xffe6, 0x20000...0x3fffd,
  ]
}
