import CEventCore
import EventStream
import ProbeCompiler

extension DecodePlan {
  /// How values of a type lie in the events and maps of probes.
  ///
  /// - Parameter namer: makes the text of named values; outlives the plan.
  convenience init(data type: DataType, namer: UnsafePointer<mt_namer>) {
    let memory = PlanMemory()
    self.init(DataPlanBuilder(memory: memory, namer: namer).field(type, name: "", offset: 0), memory: memory)
  }
}

/// Turns types of probes into plan nodes.
private struct DataPlanBuilder {
  let memory: PlanMemory
  let namer: UnsafePointer<mt_namer>

  func field(_ type: DataType, name: String, offset: Int32) -> mt_field {
    var field = node(type)
    let text = memory.text(name)
    field.name = text.start
    field.name_length = text.length
    field.offset = UInt32(offset)
    field.size = UInt32(type.size)
    return field
  }

  private func node(_ type: DataType) -> mt_field {
    switch type {
    case .integer: return kind(MT_SIGNED)
    case .boolean: return kind(MT_BOOL)
    case .string: return kind(MT_TEXT)
    case .bytes: return kind(MT_COUNTED)
    case .enumeration(let enumeration): return self.enumeration(enumeration)
    case .address: return kind(MT_POINTER)
    case .record(let fields): return group(MT_RECORD, fields.map { ($0.name, $0.type) })
    case .tuple(let items):
      // An event that is a tuple reads by its positions.
      return group(MT_TUPLE, items.enumerated().map { ("\($0.offset + 1)", $0.element) })
    case .optional(let type):
      var field = kind(MT_OPTIONAL)
      field.may_be_cut = true
      field.element = memory.array([self.field(type, name: "", offset: 8)])
      return field
    case .named(let naming, _):
      var field = kind(MT_NAMED)
      field.naming = naming.number
      field.namer = namer
      return field
    }
  }

  private func enumeration(_ enumeration: DataType.Enumeration) -> mt_field {
    var field = kind(MT_ENUM)
    field.is_signed = enumeration.isSigned
    field.names = memory.array(
      enumeration.names.map { mt_enum_name(value: $0.value, name: memory.text($0.name).start) })
    field.name_count = UInt32(enumeration.names.count)
    return field
  }

  private func kind(_ kind: mt_kind) -> mt_field {
    var field = mt_field()
    field.kind = kind
    return field
  }

  private func group(_ kind: mt_kind, _ members: [(name: String, type: DataType)]) -> mt_field {
    var offset: Int32 = 0
    var fields: [mt_field] = []
    for member in members {
      fields.append(field(member.type, name: member.name, offset: offset))
      offset += member.type.size
    }
    let plan = mt_plan(
      name: memory.text("").start, size: UInt32(offset), field_count: UInt32(fields.count),
      fields: memory.array(fields))
    var field = self.kind(kind)
    field.may_be_cut = true
    field.record = memory.array([plan])
    return field
  }
}

extension DataType.Naming {
  /// What stands for it in a plan: its kind, and in the bytes above how deep a stack is and how many frames it shows, 0
  /// for all.
  var number: UInt32 {
    switch self {
    case .kernelSymbol: 0
    case .userSymbol: 1
    case .kernelStack(let depth, let frames): 2 | UInt32(depth) << 8 | UInt32(frames ?? 0) << 16
    case .userStack(let depth): 3 | UInt32(depth) << 8
    case .address4: 4
    case .address6: 5
    case .address: 6
    }
  }

  init?(number: UInt32) {
    let (depth, frames) = (Int32(number >> 8 & 0xff), Int32(number >> 16 & 0xff))
    switch number & 0xff {
    case 0: self = .kernelSymbol
    case 1: self = .userSymbol
    case 2: self = .kernelStack(depth: depth, frames: frames == 0 ? nil : frames)
    case 3: self = .userStack(depth: depth)
    case 4: self = .address4
    case 5: self = .address6
    case 6: self = .address
    default: return nil
    }
  }
}
