/// What a function takes and gives back.
public struct FunctionPrototype: Equatable, Sendable {
  public struct Parameter: Equatable, Sendable {
    /// Empty in prototypes of function pointers.
    public var name: String
    public var type: TypeID

    public init(name: String, type: TypeID) {
      self.name = name
      self.type = type
    }
  }

  public var parameters: [Parameter]
  /// 0 is `void`.
  public var result: TypeID
  /// Takes more arguments after the named ones: `printf(const char *, ...)`.
  public var isVariadic: Bool

  public init(parameters: [Parameter], result: TypeID, isVariadic: Bool) {
    self.parameters = parameters
    self.result = result
    self.isVariadic = isVariadic
  }
}

extension TypeGraph {
  /// The prototype of a function, a function type or a pointer to one; nil for anything else.
  ///
  /// ```swift
  /// let names = graph.find("tcp_sendmsg", .function).flatMap(graph.prototype)?.parameters.map(\.name)
  /// ```
  public func prototype(of id: TypeID) -> FunctionPrototype? {
    guard var record = record(resolve(id)) else { return nil }
    if record.kind == .function || record.kind == .pointer {
      guard let target = self.record(resolve(record.sizeOrType)) else { return nil }
      record = target
    }
    guard record.kind == .prototype else { return nil }
    var parameters: [FunctionPrototype.Parameter] = []
    var isVariadic = false
    for index in 0..<record.count {
      let (nameOffset, type, isEllipsis) = record.parameter(index)
      if isEllipsis { isVariadic = true } else { parameters.append(.init(name: text(at: nameOffset), type: type)) }
    }
    return FunctionPrototype(parameters: parameters, result: record.sizeOrType, isVariadic: isVariadic)
  }
}

extension TypeGraph.TypeRecord {
  /// Parameter `index` of a prototype (`struct btf_param`); `...` is a last one without name or type.
  func parameter(_ index: Int) -> (nameOffset: UInt32, type: TypeID, isEllipsis: Bool) {
    let (nameOffset, type) = (word(2 * index), word(2 * index + 1))
    return (nameOffset, type, isEllipsis: index == count - 1 && nameOffset == 0 && type == 0)
  }
}
