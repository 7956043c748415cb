/// Checks that text is one JSON value after RFC 8259, and nothing else.
struct JSONValidator {
  private var rest: Substring.UnicodeScalarView

  static func accepts(_ text: String) -> Bool {
    var validator = JSONValidator(rest: text[...].unicodeScalars)
    return validator.value() && validator.rest.isEmpty
  }

  private mutating func take(_ wanted: Unicode.Scalar) -> Bool {
    guard rest.first == wanted else { return false }
    rest.removeFirst()
    return true
  }

  private mutating func take(_ word: String) -> Bool {
    word.unicodeScalars.allSatisfy { take($0) }
  }

  private mutating func value() -> Bool {
    switch rest.first {
    case "{": list(from: "{", to: "}") { $0.string() && $0.take(":") && $0.value() }
    case "[": list(from: "[", to: "]") { $0.value() }
    case "\"": string()
    case "t": take("true")
    case "f": take("false")
    case "n": take("null")
    default: number()
    }
  }

  private mutating func list(
    from open: Unicode.Scalar, to close: Unicode.Scalar, _ item: (inout JSONValidator) -> Bool
  ) -> Bool {
    guard take(open) else { return false }
    if take(close) { return true }
    repeat {
      guard item(&self) else { return false }
    } while take(",")
    return take(close)
  }

  private mutating func string() -> Bool {
    guard take("\"") else { return false }
    while let scalar = rest.popFirst() {
      if scalar == "\"" { return true }
      if scalar.value < 0x20 { return false }
      if scalar == "\\", !escape() { return false }
    }
    return false
  }

  private mutating func escape() -> Bool {
    guard let scalar = rest.popFirst() else { return false }
    if scalar != "u" { return "\"\\/bfnrt".unicodeScalars.contains(scalar) }
    let digits = rest.prefix(4)
    rest = rest.dropFirst(4)
    return digits.count == 4 && digits.allSatisfy(\.properties.isASCIIHexDigit)
  }

  private mutating func digits() -> Bool {
    let run = rest.prefix { ("0"..."9").contains($0) }
    rest = rest.dropFirst(run.count)
    return !run.isEmpty
  }

  private mutating func number() -> Bool {
    _ = take("-" as Unicode.Scalar)
    if !take("0" as Unicode.Scalar), !digits() { return false }
    if take("." as Unicode.Scalar), !digits() { return false }
    guard take("e" as Unicode.Scalar) || take("E" as Unicode.Scalar) else { return true }
    _ = take("+" as Unicode.Scalar) || take("-" as Unicode.Scalar)
    return digits()
  }
}
