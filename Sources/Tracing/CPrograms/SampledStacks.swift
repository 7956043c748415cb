import BTF
import KernelLoader
import LuaRuntime

/// Which members of a map's keys and values are stacks: numbers of stacks in the object's map of stacks
/// (`bpf_get_stackid`), which are integers called `stack_id`, `kern_stack_id` and the like, or addresses
/// (`bpf_get_stack`), arrays of 64 bits called `stack`, `kern_stack`, `kstack`.
struct SampledStacks {
  private let stacks: String?
  private let keys: [String]
  private let values: [String]
  /// The member that says whose the user's stacks are.
  private let process: String?

  /// nil when there are none. Numbers are none where several maps of stacks leave open which is meant.
  init?(_ table: SampledTable, _ object: BPFObject) {
    let maps = object.maps.filter { if case .stackTrace = $0.shape { true } else { false } }
    stacks = maps.count == 1 ? maps.first?.name : nil
    let hasMap = stacks != nil
    keys = Self.members(table.key).filter { $0.isAddresses || hasMap && $0.isStackID }.map(\.name)
    values = Self.members(table.value).filter { $0.isAddresses || hasMap && $0.isStackID }.map(\.name)
    if keys.isEmpty, values.isEmpty { return nil }
    let others = (Self.members(table.key) + Self.members(table.value)).filter(\.isInteger).map(\.name)
    process = ["tgid", "pid_tgid", "pid", "tid"].first(where: others.contains)
  }

  private static func members(_ layout: ValueLayout?) -> [MemberLayout] {
    if case .record(let record)? = layout { record.members } else { [] }
  }

  /// What `api/samples.lua` needs to know.
  var table: LuaTable {
    var fields: [String: LuaValue] = [
      "keys": .table(LuaTable(list: keys.map { .text($0) })),
      "values": .table(LuaTable(list: values.map { .text($0) })),
    ]
    if let stacks { fields["map"] = .text(stacks) }
    if let process { fields["process"] = .text(process) }
    return LuaTable(fields: fields)
  }
}

extension MemberLayout {
  fileprivate var isInteger: Bool { if case .integer = value { true } else { false } }

  fileprivate var isStackID: Bool { isInteger && (name.hasSuffix("stack_id") || name.hasSuffix("stackid")) }

  fileprivate var isAddresses: Bool {
    if case .array(.integer(8, _), _, _) = value { name.hasSuffix("stack") } else { false }
  }
}
