import LuaBytecode
import LuaRuntime
import ProbeCompiler
import Support

/// The running script as the compiler of probes sees it.
final class ScriptHost: ProbeHost {
  /// What scripts make for use in probes; the kinds of marked objects.
  enum ObjectKind: UInt32 {
    case map, stream, aggregate, globals
  }

  private let inspector: LuaInspector
  /// `--pid`, which is `opt.pid` also where no header declares it.
  private let pid: Int32?
  /// The options that the recipe's header declares; nil without a header.
  var declaredOptions: [String]?
  /// The first option that a probe function named though there is none.
  private(set) var optionProblem: MoontraceError?
  private var prototypes: [HostReference: LuaPrototype] = [:]

  init(_ runtime: LuaRuntime, pid: Int32?) {
    inspector = LuaInspector(runtime)
    self.pid = pid
  }

  /// The name of each object that a variable of the running script holds.
  func objectNames() -> [(kind: ObjectKind, number: Int, name: String)] {
    inspector.objectNames().compactMap { entry in
      ObjectKind(rawValue: entry.kind).map { ($0, entry.number, entry.name) }
    }
  }

  /// Takes the problem with options that compiling met, if any.
  func takeOptionProblem() -> MoontraceError? {
    defer { optionProblem = nil }
    return optionProblem
  }

  /// Lets go of the script's functions and tables, once all is compiled.
  func end() {
    inspector.end()
    prototypes = [:]
  }

  /// Lets the bytecode of functions be read anew.
  func forgetBytecode() {
    prototypes = [:]
  }

  /// Whether a function, or one that it can reach, names something so; also when only a text of it does.
  func mentions(_ name: String, in function: HostReference) -> Bool {
    var seen: Set<HostReference> = []
    return mentions(Array(name.utf8), in: function, &seen)
  }

  private func mentions(_ name: [UInt8], in function: HostReference, _ seen: inout Set<HostReference>) -> Bool {
    guard seen.insert(function).inserted, let prototype = try? prototype(of: function) else { return false }
    if prototype.mentions(name) { return true }
    let reached = prototype.upvalues.indices.map { upvalue(of: function, at: $0) } + prototype.texts.map(global)
    for case .function(let inner) in reached where mentions(name, in: inner, &seen) { return true }
    return false
  }

  // MARK: ProbeHost

  func prototype(of function: HostReference) throws(MoontraceError) -> LuaPrototype {
    if let known = prototypes[function] { return known }
    let prototype = try LuaPrototype(dump: try inspector.dump(of: Int64(function.number)))
    try prototype.check()
    prototypes[function] = prototype
    return prototype
  }

  func upvalue(of function: HostReference, at index: Int) -> HostValue {
    value(inspector.upvalue(of: Int64(function.number), at: index))
  }

  func field(of table: HostReference, name: [UInt8]) -> HostValue {
    let value = value(inspector.field(of: Int64(table.number), name: name))
    return value == .nil && isOptions(table) ? option(String(decoding: name, as: UTF8.self)) : value
  }

  func element(of table: HostReference, at index: Int64) -> HostValue {
    value(inspector.element(of: Int64(table.number), at: index))
  }

  func entries(of table: HostReference, limit: Int) -> [(key: HostValue, value: HostValue)]? {
    inspector.entries(of: Int64(table.number), limit: limit)?.map { (value($0.key), value($0.value)) }
  }

  func global(_ name: String) -> HostValue {
    value(inspector.global(name))
  }

  private func value(_ inspected: LuaInspected) -> HostValue {
    guard case .tableWithMetatable(let number) = inspected else { return HostValue(inspected) }
    let table = HostReference(Int(number))
    return isOptions(table) ? .table(table) : .tableWithMetatable
  }

  // MARK: opt

  /// `opt` has a metatable, which knows the options without a value; so does `option`.
  private func isOptions(_ table: HostReference) -> Bool {
    inspector.global("opt") == .tableWithMetatable(Int64(table.number))
  }

  /// An option that has no value.
  private func option(_ name: String) -> HostValue {
    if name == "pid" { return pid.map { .integer(Int64($0)) } ?? .nil }
    if declaredOptions?.contains(name) == true { return .nil }
    if optionProblem == nil { optionProblem = undeclared(name) }
    return .nil
  }

  private func undeclared(_ name: String) -> MoontraceError {
    guard let declaredOptions else {
      return MoontraceError(.scriptFailed, "opt.\(name): this script has no recipe header that declares its options")
    }
    let hint = suggestionHint(for: name, in: declaredOptions + ["pid"])
    return MoontraceError(.scriptFailed, "the recipe has no option '\(name)'\(hint)")
  }
}

extension LuaPrototype {
  fileprivate func mentions(_ name: [UInt8]) -> Bool {
    constants.contains(.string(name)) || prototypes.contains { $0.mentions(name) }
  }

  /// What may be names of global variables.
  fileprivate var texts: [String] {
    constants.compactMap { constant in
      if case .string(let bytes) = constant { String(decoding: bytes, as: UTF8.self) } else { nil }
    } + prototypes.flatMap(\.texts)
  }
}

extension HostValue {
  init(_ value: LuaInspected) {
    switch value {
    case .nil: self = .nil
    case .boolean(let value): self = .boolean(value)
    case .integer(let value): self = .integer(value)
    case .number(let value): self = .float(value)
    case .string(let bytes): self = .string(bytes)
    case .globals: self = .environment
    case .table(let number): self = .table(HostReference(Int(number)))
    case .tableWithMetatable: self = .tableWithMetatable
    case .function(let number): self = .function(HostReference(Int(number)))
    case .library(let name): self = .library(name)
    case .other(let type): self = .other(type)
    case .object(let kind, let number):
      switch ScriptHost.ObjectKind(rawValue: kind) {
      case .map: self = .map(number)
      case .stream: self = .stream(number)
      case .aggregate: self = .aggregate(number)
      case .globals: self = .globals(number)
      case nil: self = .other("table")
      }
    }
  }
}
