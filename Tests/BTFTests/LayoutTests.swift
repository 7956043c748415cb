import BTF
import Support
import Testing

/// Layouts of types made by hand: what compilers of today no longer write, and the corners of those they do.
struct LayoutTests {
  @Test(arguments: [1, 2, 4, 8, 16] as [UInt32], [0, 1] as [UInt32])
  func integersOfEachWidthAndSign(size: UInt32, encoding: UInt32) throws {
    var builder = BlobBuilder()
    let id = builder.integer("number", size: size, encoding: encoding)
    #expect(try builder.graph().layout(of: id) == .integer(size: Int(size), signed: encoding == 1))
  }

  @Test func charReadsAsTextAndItsSignedKinOnlyAsNumbers() throws {
    var builder = BlobBuilder()
    let char = builder.integer("char", size: 1)
    let signed = builder.integer("signed char", size: 1, encoding: 1)
    let alias = builder.add(.typedef, "letter", builder.add(.const, char))
    let (name, flexible, grid) = (
      builder.array(of: alias, 16), builder.array(of: char, 0), builder.array(of: signed, 4)
    )
    let lines = builder.array(of: name, 3)
    let graph = try builder.graph()
    #expect(try graph.layout(of: char) == .text(count: 1))
    #expect(try graph.layout(of: signed) == .integer(size: 1, signed: true))
    #expect(try graph.layout(of: name) == .text(count: 16))
    #expect(try graph.layout(of: flexible) == .text(count: 0))
    #expect(try graph.layout(of: grid) == .array(element: .integer(size: 1, signed: true), stride: 1, count: 4))
    #expect(try graph.layout(of: lines) == .array(element: .text(count: 16), stride: 16, count: 3))
  }

  @Test func arraysOfArraysOfOneCharAreNotOneText() throws {
    var builder = BlobBuilder()
    let one = builder.array(of: builder.integer("char", size: 1), 1)
    let many = builder.array(of: one, 4)
    #expect(try builder.graph().layout(of: many) == .array(element: .text(count: 1), stride: 1, count: 4))
  }

  @Test func booleansAndFloats() throws {
    var builder = BlobBuilder()
    let bool = builder.integer("_Bool", size: 1, encoding: 4)
    let sizes: [UInt32] = [2, 4, 8, 12, 16]
    let floats = sizes.map { builder.add(.float, "float\($0)", $0) }
    let graph = try builder.graph()
    #expect(try graph.layout(of: bool) == .boolean(size: 1))
    let layouts = try floats.map { try graph.layout(of: $0) }
    #expect(layouts == [.bytes(size: 2), .float(size: 4), .float(size: 8), .bytes(size: 12), .bytes(size: 16)])
  }

  @Test func enumsKeepNamesOrderAndSign() throws {
    var builder = BlobBuilder()
    let (a, b) = (builder.string("A"), builder.string("B"))
    let minusOne = UInt32.max
    let signed = builder.add(.enum, "s", count: 2, flag: true, 4, body: [a, 7, b, minusOne])
    let unsigned = builder.add(.enum, "u", count: 1, 1, body: [a, 255])
    let wide = builder.add(.enum64, "w", count: 2, 8, body: [a, 5, 1, b, minusOne, minusOne])
    let graph = try builder.graph()
    #expect(
      try graph.layout(of: signed)
        == .enumeration(size: 4, signed: true, names: [EnumName(name: "A", value: 7), EnumName(name: "B", value: -1)]))
    #expect(
      try graph.layout(of: unsigned) == .enumeration(size: 1, signed: false, names: [EnumName(name: "A", value: 255)]))
    #expect(
      try graph.layout(of: wide)
        == .enumeration(
          size: 8, signed: false, names: [EnumName(name: "A", value: 0x1_0000_0005), EnumName(name: "B", value: -1)]))
  }

  @Test func everyQualifierIsLookedThrough() throws {
    var builder = BlobBuilder()
    let int = builder.integer("int", size: 4, encoding: 1)
    var type = int
    for kind in [TypeKind.const, .volatile, .restrict, .typeTag, .typedef] { type = builder.add(kind, "x", type) }
    let variable = builder.add(.variable, "v", type, body: [1])
    let graph = try builder.graph()
    #expect(graph.resolve(type) == int)
    #expect(try graph.layout(of: type) == .integer(size: 4, signed: true))
    #expect(try graph.layout(of: variable) == .integer(size: 4, signed: true))
  }

  @Test func aStructWithoutTagIsNamedAfterItsNearestTypedef() throws {
    var builder = BlobBuilder()
    let int = builder.integer("int", size: 4, encoding: 1)
    let plain = builder.record("", size: 4, [.init(name: "x", type: int, bitOffset: 0)])
    let outer = builder.add(.typedef, "outer_t", builder.add(.const, builder.add(.typedef, "inner_t", plain)))
    let graph = try builder.graph()
    let expected = RecordLayout(
      name: "inner_t", size: 4, members: [MemberLayout(name: "x", offset: 0, value: .integer(size: 4, signed: true))])
    #expect(try graph.layout(of: outer) == .record(expected))
  }

  @Test func anonymousMembersAreFlattenedAndPaddingIsDropped() throws {
    var builder = BlobBuilder()
    let int = builder.integer("int", size: 4, encoding: 1)
    let inner = builder.record("", size: 4, flag: true, [.init(name: "b", type: int, bitOffset: 3, bitWidth: 5)])
    let union = builder.record(
      "", .union, size: 4, [.init(name: "", type: inner, bitOffset: 0), .init(name: "whole", type: int, bitOffset: 0)])
    let outer = builder.record(
      "outer", size: 12, flag: true,
      [
        .init(name: "first", type: int, bitOffset: 0), .init(name: "", type: int, bitOffset: 32, bitWidth: 7),
        .init(name: "", type: union, bitOffset: 64),
      ])
    let number = ValueLayout.integer(size: 4, signed: true)
    let expected = RecordLayout(
      name: "outer", size: 12,
      members: [
        MemberLayout(name: "first", offset: 0, value: number),
        MemberLayout(name: "b", offset: 8, value: number, bits: .init(offset: 3, width: 5, storage: 1)),
        MemberLayout(name: "whole", offset: 8, value: number),
      ])
    #expect(try builder.graph().layout(of: outer) == .record(expected))
  }

  @Test func onlyTheLastArrayWithoutElementsIsFlexible() throws {
    var builder = BlobBuilder()
    let int = builder.integer("int", size: 4, encoding: 1)
    let none = builder.array(of: int, 0)
    let id = builder.record(
      "s", size: 4,
      [
        .init(name: "marker", type: none, bitOffset: 0), .init(name: "x", type: int, bitOffset: 0),
        .init(name: "tail", type: none, bitOffset: 32),
      ])
    let record = try #require(try builder.graph().layout(of: id).record)
    let flexible = ValueLayout.array(element: .integer(size: 4, signed: true), stride: 4, count: 0)
    #expect(record.members.map(\.value) == [.bytes(size: 0), .integer(size: 4, signed: true), flexible])
    #expect(record.members.map(\.offset) == [0, 0, 4])
  }

  @Test func arraysOfEmptyStructsHaveNoElementsToRead() throws {
    var builder = BlobBuilder()
    let many = builder.array(of: builder.record("empty", size: 0, []), UInt32.max)
    #expect(try builder.graph().layout(of: many) == .bytes(size: 0))
  }
}

extension ValueLayout {
  var record: RecordLayout? {
    if case .record(let record) = self { record } else { nil }
  }
}
