import BPFAssembly
import LuaBytecode
import Support

// Tables of the script, read when the probe is registered.
extension Frontend {
  /// The most entries of a table that a variable looks one up in.
  private static let mostEntries = 64

  /// As many as this are tried one after the other.
  private static let fewEntries = 4

  private typealias Entry = (key: HostValue, value: HostValue)

  /// `t[key]` for a table of the script.
  mutating func look(in table: HostReference, for key: Value) throws(MoontraceError) -> Value {
    switch try decided(key) {
    case .text(let bytes): return Value(host: host.field(of: table, name: bytes))
    case .integer(let index): return Value(host: host.element(of: table, at: index))
    case .nil: return .nil
    case .mixed(let one, let other): throw mixed(one, other)
    case let variable: return try choose(from: try entries(of: table), by: variable)
    }
  }

  /// `#t` for a table of the script.
  func length(of table: HostReference) throws(MoontraceError) -> Int64 {
    guard let entries = host.entries(of: table, limit: 100_000) else {
      throw refusal(
        "the length of a table of more than 100000 entries can't be told in a probe", "local n = #t outside")
    }
    let places = entries.compactMap { entry in if case .integer(let place) = entry.key { place } else { nil } }
    let count = Int64(places.count { $0 > 0 })
    guard places.allSatisfy({ $0 <= count }) else {
      throw refusal("the length of a list with gaps can't be told in a probe", "local n = #t outside")
    }
    return count
  }

  private func entries(of table: HostReference) throws(MoontraceError) -> [Entry] {
    guard let entries = host.entries(of: table, limit: Self.mostEntries) else {
      throw refusal(
        "a table of more than \(Self.mostEntries) entries can't be searched in a probe",
        "fill a map with it: local m = map() for k, v in pairs(t) do m[k] = v end")
    }
    return entries
  }

  /// The entry of which the key is known only when the probe runs; nil when there is none.
  private mutating func choose(from entries: [Entry], by key: Value) throws(MoontraceError) -> Value {
    let registers = state.registers
    var edges: [Edge] = []
    try choose(from: entries, by: key, &edges)
    try enter(edges, liveIn: RegisterSet(0..<registers.count + 1))
    let result = state.registers[registers.count]
    state.registers = registers
    return edges.count > 2 ? result.mapOperands { builder.opaque($0) } : result
  }

  private mutating func choose(
    from entries: [Entry], by key: Value, _ edges: inout [Edge]
  ) throws(MoontraceError) {
    switch key {
    case .choice(let choice): try choose(from: entries, by: choice, &edges)
    case .nil: finish(with: .nil, &edges)
    case .boolean, .flag:
      try test(entries.filter { if case .boolean = $0.key { true } else { false } }, key, &edges)
    case .text, .string:
      try test(Self.sorted(entries) { if case .string(let bytes) = $0 { bytes } else { nil } }, key, &edges)
    case .integer, .number:
      let numbered = Self.sorted(entries) { if case .integer(let number) = $0 { [number] } else { nil } }
      try search(numbered[...], key.number ?? .constant(0), &edges)
    case .float: throw refusal("floats can't be used in a probe", "use integers")
    default:
      throw refusal(
        "a table of the script can't be searched for a \(key.typeName)", "its keys are numbers, text or booleans")
    }
  }

  /// The entries with keys of one kind, in order: the host gives them in any.
  private static func sorted<Element: Comparable>(
    _ entries: [Entry], by key: (HostValue) -> [Element]?
  ) -> [Entry] {
    entries.compactMap { entry in key(entry.key).map { (key: $0, entry: entry) } }
      .sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.entry)
  }

  private mutating func choose(
    from entries: [Entry], by choice: Value.Choice, _ edges: inout [Edge]
  ) throws(MoontraceError) {
    for alternative in choice.alternatives.dropLast() {
      let kind = IROperand.constant((alternative.kind ?? .nil).rawValue)
      try whether(.eq, choice.tag, kind, &edges) { frontend, edges throws(MoontraceError) in
        try frontend.choose(from: entries, by: alternative, &edges)
      }
    }
    if let last = choice.alternatives.last { try choose(from: entries, by: last, &edges) }
  }

  /// Compiles `body` for the case that the condition holds; goes on with the other one.
  private mutating func whether(
    _ condition: Condition, _ left: IROperand, _ right: IROperand, _ edges: inout [Edge],
    _ body: (inout Frontend, inout [Edge]) throws(MoontraceError) -> Void
  ) throws(MoontraceError) {
    let (yes, no) = (builder.newBlock(), builder.newBlock())
    builder.branch(condition, left, right, yes, no)
    let before = state
    go(to: Edge(block: yes, state: before))
    try body(&self, &edges)
    go(to: Edge(block: no, state: before))
  }

  private mutating func finish(with value: Value, _ edges: inout [Edge]) {
    var edge = here
    edge.state.registers.append(value)
    edges.append(edge)
  }

  /// One key after the other.
  private mutating func test(
    _ entries: [Entry], _ key: Value, _ edges: inout [Edge]
  ) throws(MoontraceError) {
    for entry in entries {
      let isThis = try equal(key, Value(host: entry.key))
      try whether(.ne, isThis, .constant(0), &edges) { frontend, edges throws(MoontraceError) in
        frontend.finish(with: Value(host: entry.value), &edges)
      }
    }
    finish(with: .nil, &edges)
  }

  /// Halves the range of keys until few are left.
  private mutating func search(
    _ entries: ArraySlice<Entry>, _ key: IROperand, _ edges: inout [Edge]
  ) throws(MoontraceError) {
    guard entries.count > Self.fewEntries else { return try test(Array(entries), .number(key), &edges) }
    let middle = entries.startIndex + entries.count / 2
    guard case .integer(let bound) = entries[middle].key else { return }
    try whether(.slt, key, .constant(bound), &edges) { frontend, edges throws(MoontraceError) in
      try frontend.search(entries[..<middle], key, &edges)
    }
    try search(entries[middle...], key, &edges)
  }
}
