import BPFAssembly
import BTF
import Support

// Numbers whose values have names in C: numbers like all others in a probe, named where they leave it.
extension Frontend {
  /// A number that has the names of an enum.
  mutating func enumerated(_ operand: IROperand, as enumeration: DataType.Enumeration) -> Value {
    enumerations[operand, builder] = enumeration
    return .number(operand)
  }

  /// A number of a BTF type, an enum.
  mutating func enumerated(
    _ operand: IROperand, _ type: TypeID, _ graph: TypeGraph
  ) throws(MoontraceError) -> Value {
    guard case .enumeration(_, let signed, let names) = try graph.layout(of: type) else { return .number(operand) }
    return enumerated(operand, as: DataType.Enumeration(isSigned: signed, names))
  }

  /// What ways bring keeps its names where all bring the same enum, or nil.
  mutating func noteEnumeration(ofAll values: [Value], in states: [State], as merged: Value) {
    guard let number = merged.alternatives.compactMap(\.number).first else { return }
    let here = state
    defer { state = here }
    var common: DataType.Enumeration?
    for (value, state) in zip(values, states) {
      self.state = state
      for operand in plain(value).alternatives.compactMap(\.number) {
        guard let own = enumerations[operand, builder], common == nil || common == own else { return }
        common = own
      }
    }
    enumerations[number, builder] = common
  }

  /// The same number, without names: for what is formatted as a number.
  mutating func withoutNames(_ value: Value) -> Value {
    guard case .number(let operand) = plain(value), enumerations[operand, builder] != nil else { return value }
    return .number(builder.binary(.add, operand, .constant(0)))
  }
}

extension [Origin.Key: DataType.Enumeration] {
  subscript(operand: IROperand, builder: Builder) -> DataType.Enumeration? {
    get {
      guard case .value(let value) = operand else { return nil }
      return self[Origin.Key(function: builder.function, value: value)]
    }
    set {
      guard case .value(let value) = operand else { return }
      self[Origin.Key(function: builder.function, value: value)] = newValue
    }
  }
}

extension DataType.Enumeration {
  init(isSigned: Bool, _ names: [EnumName]) {
    self.init(isSigned: isSigned, names: names.map { Name(name: $0.name, value: $0.value) })
  }
}
