import Support

/// How a package's data are written down.
public enum DataFormat: String, Sendable, CaseIterable {
  case json
  case yaml
}

extension DataFormat {
  func read(_ bytes: [UInt8], name: String) throws(MoontraceError) -> JSONValue {
    switch self {
    case .json: try JSONValue(json: bytes, name: name)
    case .yaml: try JSONValue(yaml: bytes, name: name)
    }
  }
}
