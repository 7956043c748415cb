/// Text that stands in HTML or SVG as it is, also where it came from somebody hostile: markup is escaped, and what XML
/// 1.0 allows no document to hold shows as `\xNN`.
func escaped(_ text: some StringProtocol) -> String {
  var result = ""
  result.reserveCapacity(text.utf8.count)
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "\"": result += "&quot;"
    case "'": result += "&#39;"
    case "\t", "\n": result.unicodeScalars.append(scalar)
    case "\u{0}"..."\u{1f}", "\u{7f}"..."\u{9f}": result += "\\x" + hexadecimal(scalar)
    // They turn the order of the text around them.
    case "\u{202a}"..."\u{202e}", "\u{2066}"..."\u{2069}", "\u{fffe}", "\u{ffff}": result += "\u{fffd}"
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}

private func hexadecimal(_ scalar: Unicode.Scalar) -> String {
  let digits = String(scalar.value, radix: 16)
  return digits.count < 2 ? "0" + digits : digits
}

/// `1234567` as `1,234,567`.
func grouped(_ number: Int64) -> String {
  let digits = String(number.magnitude)
  var result = ""
  for (index, digit) in digits.enumerated() {
    if index > 0, (digits.count - index) % 3 == 0 { result += "," }
    result.append(digit)
  }
  return number < 0 ? "-" + result : result
}

/// A number with so many digits behind the point at most, without zeros at its end: `12.5`, `3`.
func decimal(_ value: Double, digits: Int = 2) -> String {
  let scale = (0..<digits).reduce(1.0) { scale, _ in scale * 10 }
  let rounded = (value.magnitude * scale).rounded()
  guard rounded < 9e15 else { return "\(value)" }
  let (whole, part) = (Int64(rounded) / Int64(scale), Int64(rounded) % Int64(scale))
  var fraction = String(part)
  fraction = String(repeating: "0", count: digits - fraction.count) + fraction
  while fraction.hasSuffix("0") { fraction.removeLast() }
  let sign = value < 0 && rounded > 0 ? "-" : ""
  return sign + String(whole) + (fraction.isEmpty || digits == 0 ? "" : "." + fraction)
}

/// A share of 1 as a percentage.
func percent(_ share: Double) -> String { decimal(share * 100) + "%" }
