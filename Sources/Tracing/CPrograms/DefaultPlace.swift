import Glibc
import KernelLoader
import Packages
import Support

/// Where a package puts a program whose section does not say where, as eunomia-bpf's loader has it: xdp programs by
/// `ifindex`, `flags` and `xdpopts`, tc programs by `tchook` and `tcopts`, `perf_event` programs at the CPU's cycles.
struct DefaultPlace {
  let spec: AttachSpec
  /// That nobody chose it.
  private(set) var notes: [String] = []

  /// nil for programs of other kinds.
  init?(_ program: BPFProgram, _ fields: MemberReader) throws(MoontraceError) {
    switch program.type {
    case .xdp where !program.runsInMaps:
      let interface = try Self.interface(fields)
      spec = .xdp(interface: interface, mode: try Self.mode(fields))
      if fields["ifindex"] == nil { notes.append(Self.note(program, interface, "xdp:INTERFACE")) }
    case .trafficControl:
      let hook = try fields.object("tchook")
      let interface = try Self.interface(hook)
      spec = .trafficControl(
        interface: interface, direction: try Self.direction(hook, program.section), queue: try Self.queue(fields))
      if hook["ifindex"] == nil { notes.append(Self.note(program, interface, "tc:INTERFACE:ingress")) }
    case .perfEvent:
      spec = try AttachSpec("perf_event:cpu-cycles:1hz")
      notes.append(
        "program '\(program.name)' runs once a second of CPU time, for its package does not say when "
          + "(--attach \(program.name)=perf_event:cpu-cycles:99hz)")
    default: return nil
    }
  }

  private static func note(_ program: BPFProgram, _ interface: String, _ form: String) -> String {
    "program '\(program.name)' is attached to interface \(interface), for its package names none "
      + "(--attach \(program.name)=\(form))"
  }

  // MARK: Interfaces

  /// By number as the format has it, 1 when nothing is said, or by name.
  private static func interface(_ fields: MemberReader) throws(MoontraceError) -> String {
    switch fields["ifindex"] {
    case nil, .null: return try name(1, fields)
    case .integer(let index): return try name(index, fields)
    case .string(let name): return name
    default: throw fields.mismatch("ifindex", "the number or name of a network interface")
    }
  }

  private static func name(_ index: Int64, _ fields: MemberReader) throws(MoontraceError) -> String {
    var buffer = [CChar](repeating: 0, count: Int(IF_NAMESIZE))
    guard let number = UInt32(exactly: index), if_indextoname(number, &buffer) != nil else {
      throw MoontraceError(
        .usage, "\(fields.place): there is no network interface \(index)", remedy: "name one: --attach PROGRAM=SPEC")
    }
    return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  // MARK: xdp

  private static func mode(_ fields: MemberReader) throws(MoontraceError) -> XDPMode? {
    let options = try fields.object("xdpopts")
    if try options.integer("old_prog_fd", default: 0) != 0 { throw options.failure("'old_prog_fd' \(noReplacement)") }
    let flags = try fields.integer("flags", default: 0)
    if let reason = refusal(ofFlags: flags) { throw fields.failure("'flags' \(flags): \(reason)") }
    return XDPMode.allCases.first { flags & Int64($0.flag) != 0 }
  }

  /// Why `XDP_FLAGS_…` (linux/if_link.h) can't be honoured; nil when they can. 1, UPDATE_IF_NOEXIST, always is: a link
  /// never takes another program's place.
  static func refusal(ofFlags flags: Int64) -> String? {
    if flags & ~0x1f != 0 { return "no such XDP_FLAGS_… (1 UPDATE_IF_NOEXIST, 2 SKB_MODE, 4 DRV_MODE)" }
    if flags & 8 != 0 { return "XDP_FLAGS_HW_MODE: programs are not loaded into network cards here" }
    if flags & 16 != 0 { return "XDP_FLAGS_REPLACE \(noReplacement)" }
    return flags & 6 == 6 ? "XDP_FLAGS_SKB_MODE and XDP_FLAGS_DRV_MODE exclude each other" : nil
  }

  private static let noReplacement = "would take another program's place, which links to interfaces can't"

  // MARK: tc

  private static func direction(
    _ hook: MemberReader, _ section: String
  ) throws(MoontraceError) -> AttachSpec.TrafficDirection {
    switch hook["attach_point"] {
    case nil, .null: return section.hasSuffix("/egress") ? .egress : .ingress
    case .string("BPF_TC_INGRESS"): return .ingress
    case .string("BPF_TC_EGRESS"): return .egress
    case .string("BPF_TC_CUSTOM"): throw hook.failure("'attach_point' \(noCustomPoint)")
    default: throw hook.mismatch("attach_point", "BPF_TC_INGRESS or BPF_TC_EGRESS")
    }
  }

  static let noCustomPoint =
    "BPF_TC_CUSTOM needs the number of a queue, for which packages have no field: use BPF_TC_INGRESS or BPF_TC_EGRESS"

  /// With a priority or a handle it is a filter, for links have none.
  private static func queue(_ fields: MemberReader) throws(MoontraceError) -> TrafficQueue {
    let options = try fields.object("tcopts")
    if options["priority"] == nil, options["handle"] == nil { return .best }
    let priority = UInt64(exactly: try options.integer("priority", default: 0))
    let handle = UInt64(exactly: try options.integer("handle", default: 0))
    guard let priority, let handle, let queue = TrafficQueue(priority: priority, handle: handle) else {
      throw options.failure("a 'priority' is 0 to 65535, a 'handle' 0 to 4294967295")
    }
    return queue
  }
}
