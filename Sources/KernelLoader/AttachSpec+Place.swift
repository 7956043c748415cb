import Support

extension AttachSpec {
  /// Throws what attaching would throw, `.unsupported` or `.usage`, when the function, file or symbol that the SPEC names
  /// is not there; for those who would rather take another place then. Where that can't be known beforehand, nothing.
  public func checkPlace() throws(MoontraceError) {
    switch self {
    case .userProbe(let binary, let location, _):
      let path = try BinaryFinder.path(of: binary)
      if case .symbol(let name, _) = location { _ = try UserSymbolPlace(path: path).fileOffset(of: name) }
    case .kernelProbe(let function, _, _):
      let known = KernelTargets.functions()
      guard !known.isEmpty, !known.contains(function), !KernelTargets.isProbeable(function) else { return }
      throw MoontraceError(
        .unsupported, "this kernel has no function '\(function)'\(suggestionHint(for: function, in: known))")
    default: break
    }
  }
}
