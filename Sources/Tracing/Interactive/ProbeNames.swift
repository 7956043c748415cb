import BTF
import KernelLoader
import ProbeCompiler
import Support

/// What can be named in a probe on this machine: places, their arguments, and what lies behind these. For completion: what
/// can't be found out is left out.
public struct ProbeNames {
  public init() {}

  /// Kinds that take probes in Lua.
  private static let kinds = [
    "tracepoint", "rawtracepoint", "kprobe", "kretprobe", "ksyscall", "kretsyscall", "fentry", "fexit", "uprobe",
    "uretprobe", "usdt", "profile", "interval", "software", "hardware", "iter",
  ]

  /// How SPECs may go on from `start`: the next part of each, up to its colon, without what stands before it.
  ///
  /// ```swift
  /// ProbeNames().parts(after: "tracepoint:sched:sched_sw")  // ["sched_switch"]
  /// ```
  public func parts(after start: String) -> [String] {
    let parts = start.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard let kind = Self.longName(parts[0]), parts.count > 1 else {
      return Self.kinds.filter { $0.hasPrefix(start) }.map { "\($0):" }
    }
    let last = parts[parts.count - 1]
    switch (kind, parts.count) {
    case ("tracepoint", 2):
      let categories = (try? Tracefs.categories()) ?? []
      return categories.filter { $0.hasPrefix(last) && $0 != "ftrace" }.map { "\($0):" }
    case ("software", 2): return SampledEvent.software.map(\.name).filter { $0.hasPrefix(last) }
    case ("hardware", 2): return SampledEvent.hardware.map(\.name).filter { $0.hasPrefix(last) }
    case ("uprobe", 2), ("uretprobe", 2), ("usdt", 2):
      return BinaryFinder.names(startingWith: last).map { $0.hasSuffix("/") ? $0 : "\($0):" }
    case ("usdt", 3): return providers(in: parts[1]).filter { $0.hasPrefix(last) }.map { "\($0):" }
    case ("profile", _), ("interval", _): return []
    default: return matches("\(start)*")
    }
  }

  private func providers(in binary: String) -> [String] {
    guard let path = try? BinaryFinder.path(of: binary) else { return [] }
    let names = (try? ProbeCatalog.names(of: .usdt, in: path)) ?? []
    return Set(names.map { String($0.prefix { $0 != ":" }) }).sorted()
  }

  private static func longName(_ kind: String) -> String? {
    AttachSpec.kinds.first { $0.name == kind || $0.short == kind }?.name
  }

  private func matches(_ pattern: String) -> [String] {
    guard let specs = try? AttachSpec(pattern).expanded(limit: .max) else { return [] }
    return specs.map { spec in String(spec.description.split(separator: ":").last ?? "") }
  }

  /// The SPECs that a pattern stands for, with long names, as `moontrace list` shows them.
  ///
  /// - Throws: when there are none.
  public func places(matching pattern: String) throws(MoontraceError) -> [String] {
    try ProbeCatalog.probes(matching: pattern).flatMap(\.specs)
  }

  // MARK: Arguments

  /// The names that `args.` has at a place, in the kernel's order.
  public func arguments(of spec: String) -> [String] {
    context(spec)?.arguments.map(\.name) ?? []
  }

  /// The members of what a path leads to, from `args` or `curtask` on: `["args", "prev"]`.
  ///
  /// - Parameter spec: of the probe that the path stands in; nil when that is not known.
  public func members(of path: [String], spec: String?) -> [String] {
    guard let root = path.first, let types = try? KernelTypes.graph() else { return [] }
    if root == "args", path.count == 1 { return spec.map(arguments) ?? [] }
    var rest = path.dropFirst()
    var type: TypeID?
    if root == "curtask" {
      type = types.find("task_struct", .struct)
    } else if root == "args", let argument = rest.popFirst(), let spec {
      type = context(spec)?.arguments.first { $0.name == argument }.flatMap(Self.pointee)
    }
    for name in rest { type = type.flatMap { Self.record(types.member(name, of: $0)?.type, types) } }
    return type.map(types.memberNames) ?? []
  }

  private func context(_ spec: String) -> ProbeContext? {
    guard let target = try? AttachSpec(spec) else { return nil }
    return try? ProbeSite.sites(of: target).first?.context
  }

  private static func pointee(_ argument: ProbeContext.Argument) -> TypeID? {
    guard case .kernelPointer(let type) = argument.type else { return nil }
    return type
  }

  /// The struct or union that a member is or points to.
  private static func record(_ member: TypeID?, _ types: TypeGraph) -> TypeID? {
    member.map { types.pointee(of: $0) ?? $0 }.map(types.resolve)
  }

  // MARK: Types

  /// The names of structs, unions and enums that begin so.
  public func types(after start: String) -> [String] {
    (try? TypeCatalog.names(startingWith: start)) ?? []
  }

  /// A kernel type as C defines it, without the last line's end; `name` may begin with `struct`, `union`, `enum` or `typedef`.
  ///
  /// - Throws: when the kernel has no such type.
  public func definition(of name: String) throws(MoontraceError) -> String {
    String(try TypeCatalog.definition(of: name).dropLast())
  }
}
