import BTF
import CEventCore
import EventStream
import Testing

struct DecodePlanTests {
  @Test func aBareValueIsOneField() {
    let plan = DecodePlan(value: .integer(size: 4, signed: true))
    #expect(plan.field.pointee.kind == MT_SIGNED)
    #expect(plan.field.pointee.size == 4)
    #expect(plan.plan.pointee.field_count == 1)
    #expect(plan.plan.pointee.fields.pointee.kind == MT_SIGNED)
    #expect(String(cString: plan.field.pointee.name) == "")
  }

  @Test func aRecordIsItsMembersAndAField() {
    let member = MemberLayout(name: "pid", offset: 8, value: .integer(size: 4, signed: false))
    let plan = DecodePlan(record: RecordLayout(name: "event", size: 16, members: [member]))
    #expect(String(cString: plan.plan.pointee.name) == "event")
    #expect(plan.plan.pointee.size == 16)
    #expect(String(cString: plan.plan.pointee.fields.pointee.name) == "pid")
    #expect(plan.plan.pointee.fields.pointee.name_length == 3)
    #expect(plan.plan.pointee.fields.pointee.offset == 8)
    #expect(plan.field.pointee.kind == MT_RECORD)
    #expect(plan.field.pointee.record == plan.plan)
  }

  @Test(arguments: [
    (ValueLayout.integer(size: 16, signed: true), UInt32(16)), (.integer(size: 3, signed: true), 3),
    (.float(size: 16), 16),
    (.boolean(size: 5), 5), (.enumeration(size: 6, signed: false, names: []), 6),
    (.array(element: .integer(size: 2, signed: false), stride: 4, count: 3), 12),
  ])
  func whatTheCoreCannotReadIsBytes(_ value: ValueLayout, _ size: UInt32) {
    let plan = DecodePlan(value: value)
    #expect(plan.field.pointee.kind == MT_BYTES)
    #expect(plan.field.pointee.size == size)
  }

  @Test(arguments: [(0, 9, 1), (8, 1, 1), (-1, 2, 1), (0, 0, 4), (0, 3, 3), (60, 5, 8)])
  func bitFieldsOutsideTheirStorageAreBytes(_ offset: Int, _ width: Int, _ storage: Int) {
    let member = MemberLayout(
      name: "b", offset: 0, value: .integer(size: 4, signed: false),
      bits: .init(offset: offset, width: width, storage: storage))
    let plan = DecodePlan(record: RecordLayout(name: "", size: 8, members: [member]))
    #expect(plan.plan.pointee.fields.pointee.kind == MT_BYTES)
  }

  @Test func absurdSizesNeverFit() {
    let value = ValueLayout.array(element: .integer(size: 8, signed: false), stride: 8, count: .max)
    let plan = DecodePlan(value: value)
    #expect(mt_field_fits(plan.field, 1 << 30) == false)
    let member = MemberLayout(name: "far", offset: .max, value: .integer(size: 1, signed: false))
    let far = DecodePlan(record: RecordLayout(name: "", size: 1, members: [member]))
    #expect(mt_field_fits(far.plan.pointee.fields, 1 << 30) == false)
  }

  @Test func nestingHasALimit() {
    var value = ValueLayout.integer(size: 1, signed: false)
    for _ in 0..<100 { value = .array(element: value, stride: 1, count: 1) }
    let text = Sample(value, [7]).value
    #expect(text.hasSuffix(#""07""# + String(repeating: "]", count: 64)))
  }
}
