import Glibc

/// Whether text gets colours: `--color auto|always|never`.
public enum ColorChoice: String, CaseIterable, Sendable {
  /// On a terminal that is no `TERM=dumb`, unless `NO_COLOR` is set (https://no-color.org).
  case auto
  case always
  case never

  /// Whether text written to a descriptor is coloured.
  public func applies(to descriptor: Int32) -> Bool {
    switch self {
    case .auto: isCapableTerminal(descriptor) && !isSet("NO_COLOR")
    case .always: true
    case .never: false
    }
  }
}

/// Whether a descriptor is a terminal that understands control sequences.
public func isCapableTerminal(_ descriptor: Int32) -> Bool {
  isatty(descriptor) == 1 && getenv("TERM").map { String(cString: $0) } != "dumb"
}

private func isSet(_ name: String) -> Bool {
  getenv(name).map { $0.pointee != 0 } ?? false
}
