import Support

/// Makes a value of a YAML document; `JSONValue.init(yaml:name:)` is its door.
struct YAMLReader: ~Copyable {
  /// A value, and what it would weigh if it were written again in another place.
  private struct Node {
    var value: JSONValue
    /// Levels of objects and arrays.
    var height = 0
    var values = 1
    /// Of text.
    var bytes = 0

    mutating func count(_ inner: Node) {
      height = max(height, inner.height + 1)
      values += inner.values
      bytes += inner.bytes
    }
  }

  /// How much text aliases may add.
  private static let maximumCopied = 16 << 20

  private let events: YAMLEvents
  private let name: String
  private var anchors: [String: Node] = [:]
  private var budget = TextLimits.values
  private var copied = 0

  static func read(_ bytes: [UInt8], name: String) throws(MoontraceError) -> JSONValue {
    try TextLimits.check(bytes, name: name)
    return try bytes.withUnsafeBufferPointer { (buffer) throws(MoontraceError) in
      var reader = YAMLReader(events: try YAMLEvents(buffer, name: name), name: name)
      return try reader.readDocument()
    }
  }

  private init(events: consuming YAMLEvents, name: String) {
    self.events = events
    self.name = name
  }

  private mutating func readDocument() throws(MoontraceError) -> JSONValue {
    let start = try events.next()
    guard start.kind == .documentStart else { return .null }
    let value = try readNode(try events.next(), depth: 0).value
    let end = try events.next()
    guard end.kind == .streamEnd else { throw failure("a second document; one is expected", end) }
    return value
  }

  private mutating func readNode(_ event: YAMLEvent, depth: Int) throws(MoontraceError) -> Node {
    let node: Node
    switch event.kind {
    case .alias(let anchor): return try copy(anchor, event, depth: depth)
    case .listStart: node = try readList(event, depth: depth)
    case .objectStart: node = try readObject(event, depth: depth)
    case .scalar(let text, let isPlain):
      node = Node(value: try scalar(text, isPlain: isPlain, event), bytes: text.utf8.count)
    case .documentStart, .listEnd, .objectEnd, .streamEnd, .mark: throw failure("a value is expected", event)
    }
    try spend(1, event)
    if let anchor = event.anchor { anchors[anchor] = node }
    return node
  }

  private mutating func readList(_ start: YAMLEvent, depth: Int) throws(MoontraceError) -> Node {
    try check(start, depth: depth, tag: "seq")
    var elements: [JSONValue] = []
    var node = Node(value: .null)
    var event = try events.next()
    while event.kind != .listEnd {
      let element = try readNode(event, depth: depth + 1)
      elements.append(element.value)
      node.count(element)
      event = try events.next()
    }
    node.value = .array(elements)
    return node
  }

  private mutating func readObject(_ start: YAMLEvent, depth: Int) throws(MoontraceError) -> Node {
    try check(start, depth: depth, tag: "map")
    var members: [JSONMember] = []
    var names: Set<String> = []
    var node = Node(value: .null)
    var event = try events.next()
    while event.kind != .objectEnd {
      let key = try readKey(event)
      guard names.insert(key).inserted else { throw failure("a second member '\(key)' in one object", event) }
      let member = try readNode(try events.next(), depth: depth + 1)
      members.append(JSONMember(key, member.value))
      node.count(member)
      node.bytes += key.utf8.count
      event = try events.next()
    }
    node.value = .object(members)
    return node
  }

  /// A member's name: a scalar's text, whatever it would be as a value.
  private mutating func readKey(_ event: YAMLEvent) throws(MoontraceError) -> String {
    guard case .scalar(let text, let isPlain) = event.kind, event.anchor == nil, event.tag == nil else {
      throw failure("a member's name is expected, plain or in quotes", event)
    }
    guard text != "<<" || !isPlain else { throw failure("merge keys are not read; write the members out", event) }
    return text
  }

  /// What an alias stands for.
  private mutating func copy(_ anchor: String, _ event: YAMLEvent, depth: Int) throws(MoontraceError) -> Node {
    guard let node = anchors[anchor] else { throw failure("no anchor '&\(anchor)' stands before this alias", event) }
    guard depth + node.height <= TextLimits.depth else {
      throw failure("nested deeper than \(TextLimits.depth) levels through '*\(anchor)'", event)
    }
    try spend(node.values, event)
    copied += node.bytes
    guard copied <= Self.maximumCopied else {
      throw failure("aliases make more than \(Self.maximumCopied >> 20) MiB of text", event)
    }
    return node
  }

  private mutating func spend(_ count: Int, _ event: YAMLEvent) throws(MoontraceError) {
    budget -= count
    guard budget >= 0 else { throw failure("more than \(TextLimits.values) values", event) }
  }

  private func scalar(_ text: String, isPlain: Bool, _ event: YAMLEvent) throws(MoontraceError) -> JSONValue {
    guard let tag = event.tag else { return isPlain ? try plain(text, event) : .string(text) }
    if tag == "!" || tag == YAMLSchema.tag("str") { return .string(text) }
    let value = try plain(text, event)
    guard tag == YAMLSchema.tag(of: value) else { throw failure("'\(text)' with the tag '\(tag)'", event) }
    return value
  }

  private func plain(_ text: String, _ event: YAMLEvent) throws(MoontraceError) -> JSONValue {
    guard let value = YAMLSchema.value(of: text) else {
      throw failure("'\(text)' is a number that JSON does not have", event)
    }
    return value
  }

  private func check(_ start: YAMLEvent, depth: Int, tag: String) throws(MoontraceError) {
    guard depth < TextLimits.depth else { throw failure("nested deeper than \(TextLimits.depth) levels", start) }
    guard start.tag == nil || start.tag == YAMLSchema.tag(tag) else {
      throw failure("the tag '\(start.tag ?? "")' is not known", start)
    }
  }

  private func failure(_ message: String, _ event: YAMLEvent) -> MoontraceError {
    MoontraceError(.scriptFailed, "YAML: \(message)", location: "\(name):\(event.line):\(event.column)")
  }
}
