/// Which type of record a program sends through a buffer, as its source says it.
struct EventType: Hashable {
  var map: String
  /// As C names it: `struct event`, `event_t`; what a pointer to it says, which may only be its first byte's.
  var type: String
  /// The type whose size it has: `unsigned long long`, `u64[4]`; nil where no `sizeof` says.
  var sizeType: String?
}

/// Finds the types of events in a program's syntax tree: what the memory from `bpf_ringbuf_reserve` is taken for, and what
/// `bpf_ringbuf_output` and `bpf_perf_event_output` send.
///
/// Functions that pass memory on without a type (`void *reserve_buf(u64 size)` in libbpf's tools) are looked through.
struct EventTypes {
  /// What a call does: it sends something to a map, or gives memory that will be sent.
  private struct Sending: Hashable {
    enum Map: Hashable {
      case named(String)
      case parameter(Int)
    }

    enum Data: Hashable {
      case result
      case parameter(Int)
      case type(String, size: String?)
    }

    var map: Map
    var data: Data
    /// The parameter with the size of what is sent, if there is one.
    var size: Int?
  }

  /// The helpers' own parameters: bpf-helpers(7).
  private static let helpers: [String: Set<Sending>] = [
    "bpf_ringbuf_reserve": [Sending(map: .parameter(0), data: .result, size: 1)],
    // Its memory is reached through the dynptr: only the size tells what it is.
    "bpf_ringbuf_reserve_dynptr": [Sending(map: .parameter(0), data: .result, size: 1)],
    "bpf_ringbuf_output": [Sending(map: .parameter(0), data: .parameter(1), size: 2)],
    "bpf_perf_event_output": [Sending(map: .parameter(1), data: .parameter(3), size: 4)],
    "bpf_skb_output": [Sending(map: .parameter(1), data: .parameter(3), size: 4)],
    "bpf_xdp_output": [Sending(map: .parameter(1), data: .parameter(3), size: 4)],
  ]

  private let tree: SyntaxTree
  private var sendings = helpers
  private(set) var found: [EventType] = []
  /// Maps with records of which only the size is known.
  private(set) var sizes: [String: Set<Int>] = [:]

  init(_ tree: SyntaxTree) {
    self.tree = tree
    // Each round looks through one more function on the way; deeper nesting than this is not written by hand.
    for _ in 0..<8 {
      let before = sendings
      for function in tree.functions { visit(function) }
      if sendings == before { break }
    }
  }

  private mutating func visit(_ function: Int) {
    let parameters = tree.nodes[function].children.filter { tree.nodes[$0].kind == "ParmVarDecl" }
      .map { String(tree.nodes[$0].name) }
    for call in tree.descendants(of: function) where tree.nodes[call].kind == "CallExpr" {
      guard let callee = tree.nodes[call].children.first.flatMap({ tree.unwrapped($0).last }) else { continue }
      for sending in sendings[String(tree.nodes[callee].name)] ?? [] {
        take(sending, of: call, in: String(tree.nodes[function].name), parameters)
      }
    }
  }

  /// What a call that sends tells: a type of a map's events, or that its function sends too.
  private mutating func take(_ sending: Sending, of call: Int, in function: String, _ parameters: [String]) {
    let arguments = Array(tree.nodes[call].children.dropFirst())
    guard let map = map(sending.map, arguments, parameters) else { return }
    let data = data(sending, call, arguments, parameters)
    if case .named(let name) = map, case .type(let type, let size)? = data {
      let event = EventType(map: name, type: type, sizeType: size)
      if !found.contains(event) { found.append(event) }
    } else if let data {
      let size = sending.size.flatMap { parameter(arguments, $0, parameters) }
      sendings[function, default: []].insert(Sending(map: map, data: data, size: size))
    }
    if case .named(let name) = map, let size = sending.size.flatMap({ literal(arguments, $0) }) {
      sizes[name, default: []].insert(size)
    }
  }

  private func map(_ map: Sending.Map, _ arguments: [Int], _ parameters: [String]) -> Sending.Map? {
    guard case .parameter(let index) = map else { return map }
    guard arguments.indices.contains(index), let last = tree.unwrapped(arguments[index]).last else { return nil }
    let node = tree.nodes[last]
    if node.referenceKind == "Var" { return .named(String(node.name)) }
    return parameter(arguments, index, parameters).map(Sending.Map.parameter)
  }

  /// The number of the parameter that an argument is handed on from.
  private func parameter(_ arguments: [Int], _ index: Int, _ parameters: [String]) -> Int? {
    guard arguments.indices.contains(index), let last = tree.unwrapped(arguments[index]).last,
      tree.nodes[last].referenceKind == "ParmVar"
    else { return nil }
    return parameters.firstIndex(of: String(tree.nodes[last].name))
  }

  /// The type of what is sent: of the pointer, and of the `sizeof` beside it; else whose pointer it is.
  private func data(_ sending: Sending, _ call: Int, _ arguments: [Int], _ parameters: [String]) -> Sending.Data? {
    switch sending.data {
    case .type: return sending.data
    case .result:
      return type(tree.casts(around: call), sizeType(sending, arguments)) ?? .result
    case .parameter(let index):
      guard arguments.indices.contains(index) else { return nil }
      return type(tree.unwrapped(arguments[index]), sizeType(sending, arguments))
        ?? parameter(arguments, index, parameters).map(Sending.Data.parameter)
    }
  }

  /// - Parameter pointers: expressions, of which the first that points to something with a name tells.
  private func type(_ pointers: [Int], _ size: String?) -> Sending.Data? {
    (pointers.lazy.compactMap(pointee).first ?? size).map { .type($0, size: size) }
  }

  private func sizeType(_ sending: Sending, _ arguments: [Int]) -> String? {
    guard let index = sending.size, arguments.indices.contains(index) else { return nil }
    guard let last = tree.unwrapped(arguments[index]).last else { return nil }
    let node = tree.nodes[last]
    guard node.kind == "UnaryExprOrTypeTraitExpr" else { return nil }
    return Self.typeName(node.children.first.map { tree.nodes[$0].type } ?? node.name)
  }

  private func literal(_ arguments: [Int], _ index: Int) -> Int? {
    guard arguments.indices.contains(index), let last = tree.unwrapped(arguments[index]).last else { return nil }
    return tree.nodes[last].kind == "IntegerLiteral" ? Int(tree.nodes[last].name) : nil
  }

  private func pointee(_ index: Int) -> String? {
    let type = tree.nodes[index].type
    guard type.hasSuffix(" *") else { return nil }
    return Self.recordName(type.dropLast(2))
  }

  /// A type as C names it; nil for pointers, and for what has no name.
  private static func typeName(_ type: Substring) -> String? {
    guard !type.contains("*"), !type.contains("(") else { return nil }
    return type.split(separator: " ").filter { $0 != "const" && $0 != "volatile" }.joined(separator: " ")
  }

  private static let plainWords: Set<Substring> = [
    "void", "char", "short", "int", "long", "unsigned", "signed", "float", "double", "_Bool", "bool", "__int128",
    "enum",
  ]

  /// `struct event` of `const struct event`, or the name of what may be a record's typedef; nil for what is no record or
  /// has no name.
  private static func recordName(_ type: Substring) -> String? {
    let words = type.split(separator: " ").filter { $0 != "const" && $0 != "volatile" }
    if words.count == 2, words[0] == "struct" || words[0] == "union" { return "\(words[0]) \(words[1])" }
    guard words.count == 1, !plainWords.contains(words[0]), words[0].first.map({ $0.isLetter || $0 == "_" }) == true,
      words[0].allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" })
    else { return nil }
    return String(words[0])
  }
}
