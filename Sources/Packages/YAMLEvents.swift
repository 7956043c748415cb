import CYAML
import Support

/// What libyaml's parser meets, one after the other.
struct YAMLEvent {
  enum Kind: Equatable {
    case documentStart
    case scalar(String, isPlain: Bool)
    case alias(String)
    case listStart
    case listEnd
    case objectStart
    case objectEnd
    case streamEnd
    /// What says nothing: the stream's start, a document's end.
    case mark
  }

  var kind: Kind
  var anchor: String?
  var tag: String?
  /// Both count from 1.
  var line: Int
  var column: Int
}

/// A parser over bytes that outlive it.
struct YAMLEvents: ~Copyable {
  // It holds pointers to itself, so it may not move.
  private let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
  private let name: String

  init(_ bytes: UnsafeBufferPointer<UInt8>, name: String) throws(MoontraceError) {
    self.name = name
    guard yaml_parser_initialize(parser) == 1 else {
      throw MoontraceError(.scriptFailed, "\(name): no memory for YAML")
    }
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
  }

  deinit {
    yaml_parser_delete(parser)
    parser.deallocate()
  }

  /// The next event that says something. After an error there are no more.
  func next() throws(MoontraceError) -> YAMLEvent {
    while true {
      var event = yaml_event_t()
      guard yaml_parser_parse(parser, &event) == 1 else { throw failure() }
      defer { yaml_event_delete(&event) }
      let translated = Self.translate(event)
      if translated.kind != .mark { return translated }
    }
  }

  private static func translate(_ event: yaml_event_t) -> YAMLEvent {
    var result = YAMLEvent(
      kind: .mark, line: Int(event.start_mark.line) + 1, column: Int(event.start_mark.column) + 1)
    switch event.type {
    case YAML_DOCUMENT_START_EVENT: result.kind = .documentStart
    case YAML_STREAM_END_EVENT: result.kind = .streamEnd
    case YAML_ALIAS_EVENT: result.kind = .alias(text(event.data.alias.anchor) ?? "")
    case YAML_SEQUENCE_END_EVENT: result.kind = .listEnd
    case YAML_MAPPING_END_EVENT: result.kind = .objectEnd
    case YAML_SEQUENCE_START_EVENT:
      let start = event.data.sequence_start
      (result.kind, result.anchor, result.tag) = (.listStart, text(start.anchor), text(start.tag))
    case YAML_MAPPING_START_EVENT:
      let start = event.data.mapping_start
      (result.kind, result.anchor, result.tag) = (.objectStart, text(start.anchor), text(start.tag))
    case YAML_SCALAR_EVENT:
      let scalar = event.data.scalar
      let value = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
      result.kind = .scalar(value, isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE)
      (result.anchor, result.tag) = (text(scalar.anchor), text(scalar.tag))
    default: break
    }
    return result
  }

  private static func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
    pointer.map { String(cString: $0) }
  }

  private func failure() -> MoontraceError {
    let problem = parser.pointee.problem.map { String(cString: $0) } ?? "no memory"
    let context = parser.pointee.context.map { String(cString: $0) + ", " } ?? ""
    let mark = parser.pointee.problem_mark
    // Bytes that are no UTF-8 are found before lines are counted.
    let place =
      parser.pointee.error == YAML_READER_ERROR
      ? "byte \(parser.pointee.problem_offset)" : "\(mark.line + 1):\(mark.column + 1)"
    return MoontraceError(.scriptFailed, "YAML: \(context)\(problem)", location: "\(name):\(place)")
  }
}
