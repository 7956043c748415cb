import BTF
import Testing

/// Where bit-fields are read: their storage unit, in both encodings.
struct BitFieldTests {
  /// The only member of a struct: `bits` bits from `offset` on in a record of `size` bytes.
  private func member(offset: UInt32, bits: UInt32, size: UInt32, typeSize: UInt32 = 8) throws -> MemberLayout {
    var builder = BlobBuilder()
    let type = builder.integer("unsigned", size: typeSize)
    let id = builder.record(
      "s", size: size, flag: true, [.init(name: "m", type: type, bitOffset: offset, bitWidth: bits)])
    return try #require(try builder.graph().layout(of: id).record?.members.first)
  }

  @Test func theStorageUnitIsTheSmallestAlignedOneThatHoldsAllBits() throws {
    let cases: [(offset: UInt32, bits: UInt32, unit: Int, start: Int, storage: Int)] = [
      (0, 1, 0, 0, 1), (9, 7, 1, 1, 1), (12, 8, 0, 12, 4), (4, 8, 0, 4, 2), (30, 4, 0, 30, 8), (64, 33, 8, 0, 8),
      (32, 31, 4, 0, 4),
    ]
    for (offset, bits, unit, start, storage) in cases {
      let member = try member(offset: offset, bits: bits, size: 16)
      #expect(member.offset == unit)
      #expect(member.bits == .init(offset: start, width: Int(bits), storage: storage))
    }
  }

  @Test func theStorageUnitOfPackedRecordsStaysInside() throws {
    let backwards = try member(offset: 30, bits: 9, size: 5)
    #expect(backwards.offset == 3)
    #expect(backwards.bits == .init(offset: 6, width: 9, storage: 2))
    let exact = try member(offset: 1, bits: 20, size: 3)
    #expect(exact.offset == 0)
    #expect(exact.bits == .init(offset: 1, width: 20, storage: 3))
    let shifted = try member(offset: 24, bits: 20, size: 6)
    #expect(shifted.offset == 2)
    #expect(shifted.bits == .init(offset: 8, width: 20, storage: 4))
  }

  @Test func bitsOverNineBytesReadAsBytes() throws {
    #expect(try member(offset: 12, bits: 64, size: 16) == MemberLayout(name: "m", offset: 1, value: .bytes(size: 9)))
  }

  @Test func bitsOfLongIntegersReadAsBytes() throws {
    let member = try member(offset: 8, bits: 100, size: 16, typeSize: 16)
    #expect(member == MemberLayout(name: "m", offset: 1, value: .bytes(size: 13)))
  }

  /// Before `kind_flag`, a bit-field had an INT type of its own whose bits and offset said where it is.
  @Test func oldEncodingThroughTheIntegerType() throws {
    var builder = BlobBuilder()
    let narrow = builder.integer("int", size: 4, encoding: 1, offset: 2, bits: 5)
    let id = builder.record("s", size: 4, [.init(name: "m", type: narrow, bitOffset: 8)])
    let graph = try builder.graph()
    let member = try #require(try graph.layout(of: id).record?.members.first)
    #expect(member.offset == 1)
    #expect(member.value == .integer(size: 4, signed: true))
    #expect(member.bits == .init(offset: 2, width: 5, storage: 1))
    #expect(try graph.layout(of: narrow) == .bytes(size: 4))
  }

  @Test func boolCharAndEnumBitFieldsKeepTheirMeaning() throws {
    var builder = BlobBuilder()
    let (bool, char) = (builder.integer("_Bool", size: 1, encoding: 4), builder.integer("char", size: 1))
    let list = builder.add(.enum, "e", count: 1, 4, body: [builder.string("A"), 1])
    let id = builder.record(
      "s", size: 4, flag: true,
      [
        .init(name: "b", type: bool, bitOffset: 0, bitWidth: 1),
        .init(name: "c", type: char, bitOffset: 1, bitWidth: 3),
        .init(name: "e", type: list, bitOffset: 4, bitWidth: 2),
      ])
    let members = try #require(try builder.graph().layout(of: id).record?.members)
    let names = [EnumName(name: "A", value: 1)]
    #expect(
      members.map(\.value) == [
        .boolean(size: 1), .integer(size: 1, signed: false), .enumeration(size: 4, signed: false, names: names),
      ])
    #expect(members.map { $0.bits?.offset } == [0, 1, 4])
  }
}
