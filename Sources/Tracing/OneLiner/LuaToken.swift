/// A word of Lua text: comments and blanks stand between tokens.
struct LuaToken: Equatable {
  enum Kind {
    case name, keyword, number, string, symbol
  }

  var kind: Kind
  var text: String
  /// Bytes from the start of the text.
  var offset: Int

  static let keywords: Set<String> = [
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local", "nil",
    "not", "or", "repeat", "return", "then", "true", "until", "while",
  ]

  func `is`(_ text: String) -> Bool { self.text == text && kind != .string }

  /// The tokens of a text. What is malformed becomes tokens too, for Lua itself to complain about.
  static func all(in text: String) -> [LuaToken] {
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

  init(bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// Longest first.
  private static let symbols = ["...", "..", "::", "==", "~=", "<=", ">=", "<<", ">>", "//"].map { Array($0.utf8) }

  private func byte(_ index: Int) -> Character {
    bytes.indices.contains(index) ? Character(UnicodeScalar(bytes[index])) : "\0"
  }

  mutating func next() -> LuaToken? {
    skipBlanks()
    guard place < bytes.count else { return nil }
    let start = place
    let kind = readToken()
    let text = String(decoding: bytes[start..<place], as: UTF8.self)
    return LuaToken(
      kind: kind == .name && LuaToken.keywords.contains(text) ? .keyword : kind, text: text, offset: start)
  }

  private mutating func skipBlanks() {
    while place < bytes.count {
      if byte(place) == "-", byte(place + 1) == "-" {
        place += 2
        if !readLongBracket() { skip { $0 != "\n" } }
      } else if byte(place).isWhitespace {
        place += 1
      } else {
        return
      }
    }
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
