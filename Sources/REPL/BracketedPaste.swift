/// How terminals mark what is pasted, once they are asked to: ESC [200~ before it and ESC [201~ behind (xterm's control
/// sequences, "Bracketed Paste Mode").
enum BracketedPaste {
  static let on = "\u{1b}[?2004h"
  static let off = "\u{1b}[?2004l"
  /// What stands before the text, as keys are bound (editrc(5)).
  static let startKey = "\\e[200~"
  static let end = Array("\u{1b}[201~".utf8)

  /// What is pasted as lines: terminals send Return between them. Without the last line's end, so that what has been
  /// pasted is entered by a key.
  static func text(_ bytes: some Sequence<UInt8>) -> String {
    let text = String(decoding: bytes.filter { $0 != 0 }, as: UTF8.self)
    let lines = text.replacing("\r\n", with: "\n").replacing("\r", with: "\n")
    return String(lines.reversed().drop { $0 == "\n" }.reversed())
  }
}
