import BTF
import KernelLoader
import ProbeCompiler
import Support

/// Finds out what the kernel hands over at one place.
struct ProbeSiteBuilder {
  /// Without `*`.
  let spec: AttachSpec
  /// The kernel's functions by name, when so many places are asked for that it pays.
  var functions: [String: TypeID]?

  /// Whether a program can be loaded for it: false for functions that BPF trampolines don't support, of which a glob
  /// may find some.
  var isTraceable: Bool {
    guard case .kernelFunction(let name, _) = spec, let signature = try? functionTypes(name)?.signature else {
      return true
    }
    return signature.isTraceable && !Self.untraceable.contains(name)
  }

  /// What programs themselves need to run (`btf_id_deny` in the kernel's kernel/bpf/verifier.c).
  private static let untraceable: Set<String> = [
    "migrate_disable", "migrate_enable", "rcu_read_unlock_strict", "preempt_count_add", "preempt_count_sub",
    "__rcu_read_lock", "__rcu_read_unlock",
  ]

  private func functionSignature(_ function: String, in types: TypeGraph) -> FunctionSignature? {
    let id = functions.map { $0[function] } ?? types.find(function, .function)
    return id.flatMap { FunctionSignature($0, in: types) }
  }

  /// A function's parameters, and the types that they are of: those of its module where it is not the kernel's own.
  private func functionTypes(_ name: String) throws(MoontraceError) -> (
    signature: FunctionSignature, module: TypeGraph?
  )? {
    if let signature = functionSignature(name, in: try KernelTypes.graph()) { return (signature, nil) }
    guard let module = KernelTargets.module(of: name), let types = try? KernelTypes.module(module) else { return nil }
    return types.find(name, .function).flatMap { FunctionSignature($0, in: types) }.map { ($0, types) }
  }

  func sites() throws(MoontraceError) -> [ProbeSite] {
    if case .usdt(let binary, let provider, let name) = spec { return try usdt(binary, provider, name) }
    return [ProbeSite(context: try context(), targets: [spec])]
  }

  private func context() throws(MoontraceError) -> ProbeContext {
    switch spec {
    case .tracepoint(let category, let name): return try tracepoint(category, name)
    case .rawTracepoint(let name): return try rawTracepoint(name, isTyped: false)
    case .typedTracepoint(let name): return try rawTracepoint(name, isTyped: true)
    case .kernelProbe(let function, let offset, let isReturn): return try kernelProbe(function, offset, isReturn)
    case .systemCall(let name, let isReturn): return systemCall(name, isReturn)
    case .kernelFunction(let name, let isReturn): return try kernelFunction(name, isReturn)
    case .userProbe(_, let location, let isReturn): return userProbe(location, isReturn)
    case .profile, .interval, .hardware, .software, .perfEvent: return perfEvent()
    case .iterator(let name): return try iterator(name)
    case .usdt, .xdp, .trafficControl, .netfilter, .cgroup, .socket, .networkNamespace, .socketMap:
      throw MoontraceError(
        .usage, "a probe in Lua can't be attached to \(spec)", remedy: "write the program in C and use bpf.object")
    }
  }

  func make(
    _ kind: ProbeContext.Kind, arguments: [ProbeContext.Argument] = [],
    positional: [ProbeContext.Argument.Source] = [], result: ProbeContext.Argument? = nil, function: String? = nil,
    moduleTypes: TypeGraph? = nil
  ) -> ProbeContext {
    var context = ProbeContext(
      spec: spec.description, kind: kind, arguments: arguments, positional: positional, result: result,
      function: function, registers: Self.hasRegisters(kind) ? Registers.named : [:])
    context.moduleTypes = moduleTypes
    return context
  }

  private static func hasRegisters(_ kind: ProbeContext.Kind) -> Bool {
    switch kind {
    case .kernelProbe, .kernelReturn, .userProbe, .userReturn, .usdt, .perfEvent: true
    case .tracepoint, .rawTracepoint, .functionEntry, .functionExit, .iterator: false
    }
  }
}

// Places in the kernel.
extension ProbeSiteBuilder {
  private func tracepoint(_ category: String, _ name: String) throws(MoontraceError) -> ProbeContext {
    let format = try TracepointFormat(try Tracefs.format(category, name), spec: spec.description)
    let reader = TracepointArguments(format: format, isSystemCall: category == "syscalls")
    return make(.tracepoint, arguments: try reader.arguments(), positional: reader.positional())
  }

  /// The names stand in the function that calls a tracepoint's handlers; the types alone also in a typedef.
  private func rawTracepoint(_ name: String, isTyped: Bool) throws(MoontraceError) -> ProbeContext {
    let types = try KernelTypes.graph()
    guard let handler = types.find("btf_trace_\(name)", .typedef) else {
      let hint = suggestionHint(for: name, in: KernelTargets.rawTracepoints())
      throw MoontraceError(.unsupported, "this kernel has no raw tracepoint '\(name)'\(hint)")
    }
    let caller = functionSignature("__traceiter_\(name)", in: types)
    // The first parameter is the tracepoint's own, which programs don't get.
    let signature = (caller ?? FunctionSignature(handler, in: types))?.dropFirst()
    return make(
      .rawTracepoint, arguments: signature?.slotArguments(isTyped: isTyped) ?? [],
      positional: signature?.slots() ?? [])
  }

  private func kernelProbe(
    _ function: String, _ offset: Int, _ isReturn: Bool
  ) throws(MoontraceError) -> ProbeContext {
    let known = KernelFeatures.typeInformation.isAvailable ? try functionTypes(function) : nil
    if isReturn {
      let result = known.map { $0.signature.result(at: Registers.result) } ?? Self.plainResult
      return make(.kernelReturn, result: result, function: function, moduleTypes: known?.module)
    }
    // Behind the function's first instruction its arguments need not be where they came in.
    guard offset == 0 else { return make(.kernelProbe, function: function) }
    var context = make(
      .kernelProbe, arguments: known?.signature.registerArguments() ?? [], positional: Registers.words,
      function: function, moduleTypes: known?.module)
    context.isFunctionEntry = true
    return context
  }

  /// The registers are those of a wrapper around the system call: its arguments stand elsewhere.
  private func systemCall(_ name: String, _ isReturn: Bool) -> ProbeContext {
    if isReturn { return make(.kernelReturn, result: Self.plainResult, function: name) }
    var context = make(.kernelProbe, function: name)
    context.isFunctionEntry = true
    return context
  }

  private func kernelFunction(_ name: String, _ isReturn: Bool) throws(MoontraceError) -> ProbeContext {
    guard let (signature, module) = try functionTypes(name) else {
      // A module may have no types.
      if KernelTargets.isProbeable(name) { return make(isReturn ? .functionExit : .functionEntry, function: name) }
      let hint = suggestionHint(for: name, in: try KernelTypes.graph().names(.function))
      throw MoontraceError(.unsupported, "this kernel has no function '\(name)' with known types\(hint)")
    }
    let result = isReturn ? signature.result(at: Int32(8 * signature.slotCount)) : nil
    return make(
      isReturn ? .functionExit : .functionEntry, arguments: signature.slotArguments(isTyped: true),
      positional: signature.slots(), result: result, function: name, moduleTypes: module)
  }

  /// The context has a slot for each parameter of the function `bpf_iter_NAME`.
  private func iterator(_ name: String) throws(MoontraceError) -> ProbeContext {
    let types = try KernelTypes.graph()
    guard types.find("bpf_iter__\(name)", .struct) != nil,
      let signature = functionSignature("bpf_iter_\(name)", in: types)
    else {
      let hint = suggestionHint(for: name, in: KernelTargets.iterators())
      throw MoontraceError(.unsupported, "this kernel has no iterator '\(name)'\(hint)")
    }
    return make(.iterator, arguments: signature.slotArguments(isTyped: true))
  }
}

// Places in programs, and clocks.
extension ProbeSiteBuilder {
  static let plainResult = ProbeContext.Argument(
    name: "retval", source: .word(offset: Registers.result, width: .double, signed: true), type: .integer)

  private func userProbe(_ location: AttachSpec.UserLocation, _ isReturn: Bool) -> ProbeContext {
    var (function, isEntry): (String?, Bool) = (nil, true)
    if case .symbol(let name, let offset) = location { (function, isEntry) = (name, offset == 0) }
    if isReturn { return make(.userReturn, result: Self.plainResult, function: function) }
    return make(.userProbe, positional: isEntry ? Registers.words : [], function: function)
  }

  /// `struct bpf_perf_event_data`: the registers, then the period, then the address that faulted.
  private func perfEvent() -> ProbeContext {
    func word(_ name: String, _ offset: Int32) -> ProbeContext.Argument {
      .init(name: name, source: .word(offset: Registers.size + offset, width: .double, signed: false), type: .integer)
    }
    var arguments = [word("sample_period", 0)]
    if case .software(let event, _) = spec, event.name.hasSuffix("-faults") { arguments.append(word("addr", 8)) }
    return make(.perfEvent, arguments: arguments)
  }

  /// A site for each way in which the probe's places pass the arguments.
  private func usdt(_ binary: String, _ provider: String, _ name: String) throws(MoontraceError) -> [ProbeSite] {
    let path = try BinaryFinder.path(of: binary)
    let notes = try USDTNotes(path: path)
    var sites: [(arguments: String, site: ProbeSite)] = []
    for probe in try notes.places(provider: provider, name: name, path: path) {
      let target = AttachSpec.userProbe(binary: path, location: .probe(probe), isReturn: false)
      if let index = sites.firstIndex(where: { $0.arguments == probe.arguments }) {
        sites[index].site.targets.append(target)
      } else {
        let context = make(.usdt, positional: USDTArguments.read(probe.arguments))
        sites.append((probe.arguments, ProbeSite(context: context, targets: [target])))
      }
    }
    return sites.map(\.site)
  }
}
