import Support

let durationExpectation = "a duration such as 10, 1.5, 100ms, 2s, 5m or 1h"
let sizeExpectation = "a size such as 4096, 64K, 8M or 1G"

/// Units by suffix, longest suffix first where one ends in another, with their length in seconds.
private let durationUnits: [(suffix: String, seconds: Double)] = [
  ("us", 1e-6), ("ms", 1e-3), ("s", 1), ("m", 60), ("h", 3600),
]

/// Units by suffix with the power of two that they multiply by.
private let sizeUnits: [(suffix: Character, shift: Int)] = [("T", 40), ("G", 30), ("M", 20), ("K", 10)]

/// Seconds from `10`, `1.5`, `100us`, `100ms`, `2s`, `5m` or `1h`; a number without a unit is seconds.
///
/// Throws a usage error that says what was expected, without the option's name: the caller puts it in front.
public func parseDuration(_ text: String) throws(MoontraceError) -> Double {
  let unit = durationUnits.first { text.hasSuffix($0.suffix) }
  let digits = text.dropLast(unit?.suffix.count ?? 0)
  guard let value = decimal(digits), value >= 0 else { throw mismatch(durationExpectation, text) }
  let seconds = value * (unit?.seconds ?? 1)
  guard seconds.isFinite else { throw outOfRange(text) }
  return seconds
}

/// Bytes from `4096`, `64K`, `8M`, `1G` or `1T`, in powers of 1024, in either case.
///
/// Throws a usage error that says what was expected, without the option's name: the caller puts it in front.
public func parseSize(_ text: String) throws(MoontraceError) -> Int {
  let last = text.last.map { Character($0.uppercased()) }
  let unit = sizeUnits.first { $0.suffix == last }
  let digits = unit == nil ? text[...] : text.dropLast()
  guard isInteger(digits), !digits.hasPrefix("-") else { throw mismatch(sizeExpectation, text) }
  guard let count = integer(digits) else { throw outOfRange(text) }
  let (bytes, overflow) = count.multipliedReportingOverflow(by: 1 << (unit?.shift ?? 0))
  guard count >= 0, !overflow else { throw outOfRange(text) }
  return bytes
}

/// A 64-bit integer, decimal or hexadecimal; hexadecimal ones wrap as Lua's do, so that addresses fit.
func parseInteger(_ text: String) throws(MoontraceError) -> Int {
  guard isInteger(text[...]) else { throw mismatch(OptionType.integer.expectation, text) }
  guard let value = integer(text[...]) else { throw outOfRange(text) }
  return value
}

func parseNumber(_ text: String) throws(MoontraceError) -> Double {
  if isInteger(text[...]), let value = integer(text[...]) { return Double(value) }
  guard let value = decimal(text[...]) else { throw mismatch(OptionType.number.expectation, text) }
  guard value.isFinite else { throw outOfRange(text) }
  return value
}

private func mismatch(_ expected: String, _ text: String) -> MoontraceError {
  MoontraceError(.usage, "expected \(expected), got '\(text)'")
}

private func outOfRange(_ text: String) -> MoontraceError {
  MoontraceError(.usage, "'\(text)' is out of range", remedy: "64-bit values fit")
}

/// The sign, the base and the digits of an integer's text.
private func integerParts(_ text: Substring) -> (negative: Bool, radix: Int, digits: Substring) {
  let negative = text.hasPrefix("-")
  let magnitude = negative || text.hasPrefix("+") ? text.dropFirst() : text
  let isHexadecimal = magnitude.hasPrefix("0x") || magnitude.hasPrefix("0X")
  return (negative, isHexadecimal ? 16 : 10, isHexadecimal ? magnitude.dropFirst(2) : magnitude)
}

private func isInteger(_ text: Substring) -> Bool {
  let (_, radix, digits) = integerParts(text)
  return !digits.isEmpty && digits.allSatisfy { $0.isASCII && (radix == 16 ? $0.isHexDigit : $0.isNumber) }
}

/// The value of a text that `isInteger` approved; nil when 64 bits do not hold it.
private func integer(_ text: Substring) -> Int? {
  let (negative, radix, digits) = integerParts(text)
  if radix == 10 { return Int((negative ? "-" : "") + digits) }
  guard let magnitude = UInt(digits, radix: 16) else { return nil }
  return negative ? 0 &- Int(bitPattern: magnitude) : Int(bitPattern: magnitude)
}

/// A decimal number; `nan`, `inf` and hexadecimal floats, which `Double` would take, are none.
private func decimal(_ text: Substring) -> Double? {
  guard text.allSatisfy({ $0.isASCII && ($0.isNumber || "+-.eE".contains($0)) }) else { return nil }
  return Double(text)
}

/// A number without the `.0` that Swift ends whole ones with.
func shortest(_ value: Double) -> String {
  let text = "\(value)"
  return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}

func durationText(_ seconds: Double) -> String {
  guard seconds > 0, seconds < 1 else { return shortest(seconds) + "s" }
  return seconds >= 1e-3 ? shortest(seconds * 1e3) + "ms" : shortest(seconds * 1e6) + "us"
}

func sizeText(_ bytes: Int) -> String {
  let unit = sizeUnits.first { bytes > 0 && bytes % (1 << $0.shift) == 0 }
  return unit.map { "\(bytes >> $0.shift)\($0.suffix)" } ?? "\(bytes)"
}
