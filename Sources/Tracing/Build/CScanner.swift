/// A comment that documents what stands behind it, or with `<` before it: `///`, `//!`, `/** */`, `/*! */`.
struct DocumentationComment: Equatable {
  struct Line: Equatable {
    var text: String
    /// From 1.
    var number: Int
  }

  /// Without the comment's own marks.
  var lines: [Line]
  /// `///<`
  var isTrailing = false
  var lastLine: Int
}

/// Cuts C text into what matters to find declarations and the comments that document them; directives are one token.
///
/// Nothing is preprocessed: macros are words. Text without an end (a comment, a string) ends with the file.
struct CScanner {
  enum Token: Equatable {
    case word(String)
    /// A string, a character or a number.
    case literal
    case mark(UInt8)
    case comment(DocumentationComment)
    /// A whole preprocessor line.
    case directive
  }

  private let bytes: [UInt8]
  private var place = 0
  /// The line that `place` is on.
  private(set) var line = 1
  private var isAtLineStart = true

  init(_ text: [UInt8]) {
    bytes = text
  }

  /// The next token; nil at the end.
  mutating func next() -> Token? {
    while let byte = current {
      if byte == UInt8(ascii: "/"), let comment = comment() { return .comment(comment) }
      guard let byte = current else { return nil }
      if byte == UInt8(ascii: "\n") {
        isAtLineStart = true
        advance()
        continue
      }
      if Self.isBlank(byte) || byte == UInt8(ascii: "\\") {
        advance()
        continue
      }
      // A comment that documents nothing may have ended before another one.
      if byte == UInt8(ascii: "/"), [UInt8(ascii: "/"), UInt8(ascii: "*")].contains(peek(1)) { continue }
      return token(byte)
    }
    return nil
  }

  private mutating func token(_ byte: UInt8) -> Token {
    let startsLine = isAtLineStart
    isAtLineStart = false
    if byte == UInt8(ascii: "#"), startsLine { return directive() }
    if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") { return quoted(byte) }
    if Self.isWordPart(byte) {
      let start = place
      while let byte = current, Self.isWordPart(byte) { advance() }
      return Self.isDigit(byte) ? .literal : .word(String(decoding: bytes[start..<place], as: UTF8.self))
    }
    advance()
    return .mark(byte)
  }

  private mutating func quoted(_ quote: UInt8) -> Token {
    advance()
    while let byte = current, byte != UInt8(ascii: "\n") {
      advance()
      if byte == UInt8(ascii: "\\") { advance() }
      if byte == quote { break }
    }
    return .literal
  }

  /// To the end of the line that no backslash continues; comments in it may span lines.
  private mutating func directive() -> Token {
    while let byte = current, byte != UInt8(ascii: "\n") {
      if byte == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "*") {
        skipBlock()
        continue
      }
      advance()
      if byte == UInt8(ascii: "\\"), current == UInt8(ascii: "\r") { advance() }
      if byte == UInt8(ascii: "\\") { advance() }
    }
    return .directive
  }

  // MARK: Comments

  /// Passes the comment that stands here, if one does; gives it when it documents something.
  private mutating func comment() -> DocumentationComment? {
    switch peek(1) {
    case UInt8(ascii: "/"): return lineComment()
    case UInt8(ascii: "*"): return blockComment()
    default: return nil
    }
  }

  private mutating func lineComment() -> DocumentationComment? {
    let (start, number) = (place, line)
    while let byte = current, byte != UInt8(ascii: "\n") {
      advance()
      if byte == UInt8(ascii: "\\") { advance() }
    }
    let text = bytes[(start + 2)..<place]
    guard let mark = text.first, mark == UInt8(ascii: "/") || mark == UInt8(ascii: "!"),
      text.dropFirst().first != UInt8(ascii: "/")
    else { return nil }
    return Self.comment(text.dropFirst(), from: number, to: number)
  }

  private mutating func blockComment() -> DocumentationComment? {
    let (start, number) = (place, line)
    let end = skipBlock()
    let text = bytes[min(start + 2, end)..<end]
    guard let mark = text.first, mark == UInt8(ascii: "*") || mark == UInt8(ascii: "!"),
      text.dropFirst().first != UInt8(ascii: "*")
    else { return nil }
    return Self.comment(text.dropFirst(), from: number, to: line)
  }

  /// Passes a `/* */`; where its text ends.
  @discardableResult
  private mutating func skipBlock() -> Int {
    advance()
    advance()
    while current != nil {
      if current == UInt8(ascii: "*"), peek(1) == UInt8(ascii: "/") {
        defer {
          advance()
          advance()
        }
        return place
      }
      advance()
    }
    return place
  }

  private static func comment(_ text: ArraySlice<UInt8>, from first: Int, to last: Int) -> DocumentationComment {
    let isTrailing = text.first == UInt8(ascii: "<")
    let pieces = (isTrailing ? text.dropFirst() : text).split(
      separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let lines = pieces.enumerated().map { index, piece in
      var piece = piece.drop(while: isBlank)
      // The border of stars down the left.
      if index > 0, piece.first == UInt8(ascii: "*") { piece = piece.dropFirst().drop(while: isBlank) }
      while let byte = piece.last, isBlank(byte) { piece.removeLast() }
      return DocumentationComment.Line(text: String(decoding: piece, as: UTF8.self), number: first + index)
    }
    return DocumentationComment(lines: lines, isTrailing: isTrailing, lastLine: last)
  }

  // MARK: Bytes

  private var current: UInt8? { place < bytes.count ? bytes[place] : nil }

  private func peek(_ distance: Int) -> UInt8? {
    place + distance < bytes.count ? bytes[place + distance] : nil
  }

  private mutating func advance() {
    guard place < bytes.count else { return }
    if bytes[place] == UInt8(ascii: "\n") { line += 1 }
    place += 1
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || (0x0b...0x0d).contains(byte)
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

  private static func isWordPart(_ byte: UInt8) -> Bool {
    isDigit(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || byte == UInt8(ascii: "_")
      || byte >= 0x80
  }
}
