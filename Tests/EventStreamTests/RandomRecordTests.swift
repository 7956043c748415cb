import BTF
import Glibc
import RandomTestSupport
import Testing

/// Random layouts over random bytes: whatever a program sends, the text that comes out is well formed.
struct RandomRecordTests {
  @Test func everyRecordIsWellFormedInEveryFormat() {
    let seed = UInt64(time(nil))
    var random = SeededGenerator(seed: seed)
    for round in 0..<3000 {
      let members = (0..<Int.random(in: 0...5, using: &random)).map { member("f\($0)", depth: 0, &random) }
      let bytes = (0..<Int.random(in: 0...80, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      let sample = Sample(members, size: 80, bytes)
      let json = sample.json
      #expect(
        json.hasSuffix("\n") && JSONValidator.accepts(String(json.dropLast())), "seed \(seed) round \(round): \(json)")
      #expect(csvColumns(sample.csv) == max(members.count, 1), "seed \(seed) round \(round): \(sample.csv)")
      let row = sample.table.unicodeScalars.dropLast()
      #expect(row.allSatisfy { $0.properties.generalCategory != .control }, "seed \(seed) round \(round)")
    }
  }

  private func member(_ name: String, depth: Int, _ random: inout SeededGenerator) -> MemberLayout {
    let offset = Int.random(in: 0...64, using: &random)
    guard Int.random(in: 0..<6, using: &random) == 0 else {
      return MemberLayout(name: name, offset: offset, value: value(depth, &random))
    }
    let storage = [1, 2, 4, 8].randomElement(using: &random) ?? 1
    let start = Int.random(in: 0..<storage * 8, using: &random)
    let width = Int.random(in: 0...storage * 8 - start, using: &random)
    return MemberLayout(
      name: name, offset: offset, value: .integer(size: storage, signed: Bool.random(using: &random)),
      bits: .init(offset: start, width: width, storage: storage))
  }

  private func value(_ depth: Int, _ random: inout SeededGenerator) -> ValueLayout {
    let size = [1, 2, 4, 8].randomElement(using: &random) ?? 1
    switch Int.random(in: 0..<(depth < 3 ? 10 : 8), using: &random) {
    case 0, 1: return .integer(size: size, signed: Bool.random(using: &random))
    case 2: return .boolean(size: size)
    case 3: return .float(size: size < 4 ? 4 : size)
    case 4: return .enumeration(size: size, signed: true, names: (0..<200).map { EnumName(name: "E\($0)", value: $0) })
    case 5: return .pointer
    case 6: return .text(count: Int.random(in: 0...24, using: &random))
    case 7: return .bytes(size: Int.random(in: 0...20, using: &random))
    case 8:
      let element = value(depth + 1, &random)
      return .array(element: element, stride: element.size, count: Int.random(in: 0...4, using: &random))
    default:
      let members = (0..<2).map { member("m\($0)", depth: depth + 1, &random) }
      return .record(RecordLayout(name: "inner", size: Int.random(in: 0...32, using: &random), members: members))
    }
  }

  /// The columns of one CSV row, read with RFC 4180's quotes; nil when they do not close.
  private func csvColumns(_ row: String) -> Int? {
    var columns = 1
    var quoted = false
    for scalar in row.unicodeScalars {
      if scalar == "\"" { quoted.toggle() }
      if scalar == ",", !quoted { columns += 1 }
    }
    return quoted ? nil : columns
  }
}
