import BTF
import CEventCore
import Glibc
import RandomTestSupport
import Testing

struct NumberTextTests {
  private func unsigned(_ value: UInt64) -> String {
    let output = Output()
    mt_output_unsigned(&output.raw, value)
    return output.text
  }

  private func number(_ value: Double) -> String {
    let output = Output()
    mt_output_number(&output.raw, value)
    return output.text
  }

  @Test func integersAreExactAtEveryLength() {
    var power: UInt64 = 1
    for _ in 0..<20 {
      for value in [power - 1, power, power + 1, power &* 9] { #expect(unsigned(value) == String(value)) }
      power &*= 10
    }
    for shift in 0..<64 { #expect(unsigned(1 << UInt64(shift)) == String(UInt64(1) << UInt64(shift))) }
    #expect(unsigned(.max) == "18446744073709551615")
  }

  @Test(arguments: [Int64.min, Int64.min + 1, -10, -1, 0, 1, 99, 100, Int64.max])
  func signedIntegersAreExact(_ value: Int64) {
    let output = Output()
    mt_output_integer(&output.raw, value)
    #expect(output.text == String(value))
  }

  @Test func randomNumbersReadBack() {
    let seed = UInt64(time(nil))
    var random = SeededGenerator(seed: seed)
    for _ in 0..<5000 {
      let value = Double(bitPattern: random.next())
      if value.isFinite { #expect(strtod(number(value), nil) == value, "seed \(seed)") }
      let bits = UInt64.random(in: 0...(.max), using: &random) >> UInt64.random(in: 0..<64, using: &random)
      #expect(unsigned(bits) == String(bits), "seed \(seed)")
    }
  }

  @Test(arguments: [
    (0.0, "0"), (-0.0, "-0"), (0.1, "0.1"), (-2.5, "-2.5"), (3, "3"), (1e15, "1e+15"), (1e300, "1e+300"),
    (0.1 + 0.2, "0.30000000000000004"), (Double.leastNonzeroMagnitude, "5e-324"), (123456789012345, "123456789012345"),
    (Double.nan, "null"), (Double.infinity, "null"), (-Double.infinity, "null"),
  ])
  func floatsAreTheShortestText(_ value: Double, _ text: String) {
    #expect(number(value) == text)
  }

  @Test(arguments: [
    (Float(0.1), "0.1"), (16777216, "16777216"), (3.4028235e38, "3.4028235e+38"),
    (Float.leastNonzeroMagnitude, "1e-45"),
  ])
  func singleFloatsAreShortestAsSingles(_ value: Float, _ text: String) {
    #expect(Sample(.float(size: 4), bytes(of: value.bitPattern)).value == text)
  }
}
