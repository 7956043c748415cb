import Support

extension AttachSpec {
  /// Throws what attaching would throw, `.unsupported` or `.usage`, when the function, file or symbol that the SPEC names
  /// is not there; for those who would rather take another place then. Where that can't be known beforehand, nothing.
  public func checkPlace() throws(MoontraceError) {
    switch self {
    case .userProbe(let binary, let location, _):
      let path = try BinaryFinder.path(of: binary)
      if case .symbol(let name, let offset) = location {
        _ = try UserSymbolPlace(path: path).fileOffset(of: name, plus: offset)
      }
    case .kernelProbe(let function, _, _):
      let known = KernelTargets.functions()
      guard !known.isEmpty, !known.contains(function), !KernelTargets.isProbeable(function) else { return }
      throw MoontraceError(
        .unsupported, "this kernel has no function '\(function)'\(suggestionHint(for: function, in: known))")
    default: break
    }
  }
}

extension AttachSpec {
  /// What takes the SPEC's place on this machine, and a note that says so: the CPU's clock for its cycles where it counts
  /// none, as in most virtual machines. Else the SPEC itself.
  func available() -> (spec: AttachSpec, note: String?) {
    guard case .perfEvent(let event, let rate) = self, event.countsCycles,
      !KernelFeatures.hardwareCounters.isAvailable, let clock = SampledEvent.cpuClock
    else { return (self, nil) }
    let substitute: AttachSpec =
      switch rate {
      case .hertz: .perfEvent(clock, rate)
      case .count: .perfEvent(clock, .count(clock.defaultCount))
      }
    let reason = KernelFeatures.hardwareCounters.reason ?? "it can't be counted"
    return (substitute, "\(substitute) is used in place of \(self): \(reason)")
  }
}
