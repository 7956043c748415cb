import BTF
import KernelLoader
import ProbeCompiler
import Support

/// A place where a probe runs: what the compiler must know of it, and what the loader attaches to.
struct ProbeSite {
  var context: ProbeContext
  /// Several when places hand over the same: the locations of a USDT probe, the matches of a glob.
  var targets: [AttachSpec]

  /// The sites of a SPEC, in which `*` may stand: one for each match, for USDT probes one for each way in which the
  /// arguments are passed.
  ///
  /// ```swift
  /// for site in try ProbeSite.sites(of: AttachSpec("tracepoint:syscalls:sys_exit_open*")) { … }
  /// ```
  ///
  /// - Parameter checksKind: whether kinds of probes that this kernel does not have are refused; trying them loads
  ///   programs.
  /// - Throws: `.unsupported` or `.usage` when there is no such place, or none of the kind in this kernel; the caller
  ///   adds the line of the script.
  static func sites(of spec: AttachSpec, checksKind: Bool = true) throws(MoontraceError) -> [ProbeSite] {
    if checksKind { try spec.checkKind() }
    let targets = try spec.expanded(checksKind: checksKind)
    let functions = try targets.count > 16 && spec.isInKernel ? KernelTypes.graph().index(of: .function) : nil
    var sites: [ProbeSite] = []
    for target in targets {
      let builder = ProbeSiteBuilder(spec: target, functions: functions)
      if targets.count == 1 || builder.isTraceable { sites += try builder.sites() }
    }
    return sites
  }

  /// One site in place of many, that hands over only what all of them hand over alike; for a function that reads
  /// nothing else, it saves a program each. nil when they are of different kinds, or there are none.
  ///
  /// - Parameter spec: what messages call it: the SPEC with its `*`.
  static func shared(by sites: [ProbeSite], spec: String) -> ProbeSite? {
    guard var common = sites.first else { return nil }
    for site in sites.dropFirst() {
      guard site.context.kind == common.context.kind else { return nil }
      common.context.restrict(to: site.context)
      common.targets += site.targets
    }
    common.context.spec = spec
    return common
  }
}

extension AttachSpec {
  /// Whether the kernel's types say what it hands over.
  fileprivate var isInKernel: Bool {
    switch self {
    case .kernelProbe, .kernelFunction, .rawTracepoint, .typedTracepoint: true
    default: false
    }
  }
}

extension ProbeContext {
  /// Leaves out what the other does not have in the same form.
  fileprivate mutating func restrict(to other: ProbeContext) {
    arguments = arguments.filter { argument in
      other.arguments.contains { argument.isSame(as: $0) }
    }
    let same = zip(positional, other.positional).prefix { $0 == $1 }.count
    positional = Array(positional.prefix(same))
    if let ours = result, let theirs = other.result, ours.isSame(as: theirs) {} else { result = nil }
    if function != other.function { function = nil }
  }
}

extension ProbeContext.Argument {
  fileprivate func isSame(as other: Self) -> Bool {
    name == other.name && source == other.source && type == other.type
  }
}
