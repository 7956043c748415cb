import ProbeCompiler

extension DataType {
  /// What a value is: `integer`, `string(64)`.
  var spelling: String {
    switch self {
    case .integer: "integer"
    case .boolean: "boolean"
    case .string(let capacity): "string(\(capacity))"
    case .bytes(let capacity): "bytes(\(capacity))"
    case .enumeration: "enum"
    case .address: "address"
    case .record(let fields): "{ \(fields.map { "\($0.name) = \($0.type.spelling)" }.joined(separator: ", ")) }"
    case .tuple(let items): items.map(\.spelling).joined(separator: ", ")
    case .optional(let type): "\(type.spelling) or nil"
    case .named(let naming, _): naming.spelling
    }
  }
}

extension DataType.Naming {
  fileprivate var spelling: String {
    switch self {
    case .kernelSymbol: "kernel symbol"
    case .userSymbol: "user symbol"
    case .kernelStack: "kernel stack"
    case .userStack: "user stack"
    case .address4: "IPv4 address"
    case .address6: "IPv6 address"
    case .address: "IP address"
    }
  }
}

extension ProbeSchema.AggregateType.Function {
  /// The function of the script API that makes such an aggregate.
  var spelling: String {
    guard case .linear(let low, let high, let step) = self else { return name }
    return "\(name)(\(low), \(high), \(step))"
  }
}
