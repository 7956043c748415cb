/// A word of Lua text: comments and blanks stand between tokens.
///
/// ```swift
/// LuaToken.all(in: "f('a', x").map(\.text)  // "f", "(", "'a'", ",", "x"
/// ```
public struct LuaToken: Equatable, Sendable {
  public enum Kind: Sendable {
    case name, keyword, number, string, symbol
    /// Only one that the text ends inside of is a token.
    case comment
  }

  public var kind: Kind
  public var text: String
  /// Bytes from the start of the text.
  public var offset: Int
  /// Of a string or comment: the text ends inside of it.
  public var isOpen: Bool

  public init(kind: Kind, text: String, offset: Int, isOpen: Bool = false) {
    self.kind = kind
    self.text = text
    self.offset = offset
    self.isOpen = isOpen
  }

  public static let keywords: Set<String> = [
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local", "nil",
    "not", "or", "repeat", "return", "then", "true", "until", "while",
  ]

  /// Whether it is this word or symbol.
  public func `is`(_ text: String) -> Bool { self.text == text && kind != .string && kind != .comment }

  /// What stands between a string's quotes or brackets, with its escapes as they are written; nil for other tokens.
  public var contents: Substring? {
    guard kind == .string else { return nil }
    // `"` or `[==[`, and as much at the end.
    let width = text.first == "[" ? 2 + text.dropFirst().prefix { $0 == "=" }.count : 1
    let rest = text.dropFirst(width)
    // One that ends with its line has no quote there.
    let isClosed = !isOpen && (width > 1 || rest.last == text.first)
    return isClosed ? rest.dropLast(width) : rest
  }

  /// The tokens of a text, which may break off anywhere. What is malformed becomes tokens too, for Lua itself to
  /// complain about.
  public static func all(in text: String) -> [LuaToken] {
    var reader = LuaTokenReader(bytes: Array(text.utf8))
    var tokens: [LuaToken] = []
    while let token = reader.next() { tokens.append(token) }
    return tokens
  }
}

/// Reads Lua's lexical elements (manual §3.1; llex.c).
private struct LuaTokenReader {
  let bytes: [UInt8]
  private var place = 0
  /// The text ends inside of what was read last.
  private var isOpen = false

  init(bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// Longest first.
  private static let symbols = ["...", "..", "::", "==", "~=", "<=", ">=", "<<", ">>", "//"].map { Array($0.utf8) }

  private func byte(_ index: Int) -> Character {
    bytes.indices.contains(index) ? Character(UnicodeScalar(bytes[index])) : "\0"
  }

  mutating func next() -> LuaToken? {
    while place < bytes.count {
      let start = place
      isOpen = false
      if byte(place).isWhitespace {
        place += 1
      } else if byte(place) == "-", byte(place + 1) == "-" {
        readComment()
        if isOpen { return token(.comment, from: start) }
      } else {
        let kind = readToken()
        return token(kind, from: start)
      }
    }
    return nil
  }

  private func token(_ kind: LuaToken.Kind, from start: Int) -> LuaToken {
    let text = String(decoding: bytes[start..<place], as: UTF8.self)
    let isKeyword = kind == .name && LuaToken.keywords.contains(text)
    return LuaToken(kind: isKeyword ? .keyword : kind, text: text, offset: start, isOpen: isOpen)
  }

  private mutating func readComment() {
    place += 2
    if readLongBracket() { return }
    skip { $0 != "\n" }
    isOpen = place == bytes.count
  }

  private mutating func readToken() -> LuaToken.Kind {
    let first = byte(place)
    if Self.isWord(first), !first.isNumber {
      skip(Self.isWord)
      return .name
    }
    if first.isNumber || (first == "." && byte(place + 1).isNumber) {
      readNumber()
      return .number
    }
    if first == "\"" || first == "'" {
      readString(until: first)
      return .string
    }
    if first == "[", readLongBracket() { return .string }
    readSymbol()
    return .symbol
  }

  private static func isWord(_ character: Character) -> Bool {
    character == "_" || character.isASCII && (character.isLetter || character.isNumber)
  }

  private mutating func skip(_ isWanted: (Character) -> Bool) {
    while place < bytes.count, isWanted(byte(place)) { place += 1 }
  }

  private mutating func readNumber() {
    let exponent = byte(place + 1).lowercased() == "x" ? "p" : "e"
    while place < bytes.count {
      if byte(place).lowercased() == exponent, "+-".contains(byte(place + 1)) {
        place += 2
      } else if Self.isWord(byte(place)) || byte(place) == "." {
        place += 1
      } else {
        return
      }
    }
  }

  /// Ends at the line's end when the string does not.
  private mutating func readString(until quote: Character) {
    place += 1
    while place < bytes.count, byte(place) != "\n" {
      if byte(place) == quote {
        place += 1
        return
      }
      place += byte(place) == "\\" ? 2 : 1
    }
    isOpen = place >= bytes.count
    place = min(place, bytes.count)
  }

  /// `[[…]]`, `[=[…]=]`; false, having read nothing, when none begins here.
  private mutating func readLongBracket() -> Bool {
    var end = place + 1
    while byte(end) == "=" { end += 1 }
    guard byte(place) == "[", byte(end) == "[" else { return false }
    let closing = Array("]".utf8) + bytes[(place + 1)..<end] + Array("]".utf8)
    place = end + 1
    while place < bytes.count, !bytes[place...].starts(with: closing) { place += 1 }
    isOpen = place == bytes.count
    place = min(place + closing.count, bytes.count)
    return true
  }

  private mutating func readSymbol() {
    if let symbol = Self.symbols.first(where: { bytes[place...].starts(with: $0) }) {
      place += symbol.count
    } else if bytes[place] < 0x80 {
      place += 1
    } else {
      while place < bytes.count, bytes[place] >= 0x80 { place += 1 }
    }
  }
}
