import BTF
import CEventCore

/// How the C core reads a value's bytes: the `mt_plan` and `mt_field` trees made from a BTF layout.
///
/// The plan owns its C memory, so it must outlive every stream and output call that uses its pointers. What the core
/// can't read in place (a 16-byte integer, a bit-field outside its storage) reads as opaque bytes.
///
/// ```swift
/// let plan = DecodePlan(record: layout)
/// mt_output_json_record(&output, plan.plan, bytes, size)
/// ```
public final class DecodePlan {
  /// The members of a record or tuple; of any other value, that value as the one field.
  public let plan: UnsafePointer<mt_plan>
  /// The whole value as one nameless field at offset 0.
  public let field: UnsafePointer<mt_field>
  private let memory: PlanMemory

  public convenience init(record: RecordLayout) {
    self.init(value: .record(record))
  }

  public convenience init(value: ValueLayout) {
    let memory = PlanMemory()
    self.init(PlanBuilder(memory: memory).field(value, name: "", offset: 0, depth: 0), memory: memory)
  }

  /// A plan of nodes that the caller has made in `memory`: `whole` is nameless and stands at offset 0.
  public init(_ whole: mt_field, memory: PlanMemory) {
    self.memory = memory
    field = memory.array([whole])
    if let record = whole.record {
      plan = record
    } else {
      let single = mt_plan(name: memory.text("").start, size: whole.size, field_count: 1, fields: field)
      plan = memory.array([single])
    }
  }
}
