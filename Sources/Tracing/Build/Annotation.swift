/// A field that a documentation comment gives to what it documents: `@key TEXT`, or bare text as `description`.
struct Annotation: Equatable {
  var key: String
  /// In one line.
  var text: String
  var file: String
  var line: Int

  var place: String { "\(file):\(line)" }

  /// The annotations of comments, in their order.
  ///
  /// A text ends before the next key, or at an empty line unless its JSON is still open. Paragraphs of bare text are one
  /// description.
  static func all(in comments: [DocumentationComment], file: String) -> [Annotation] {
    var annotations: [Annotation] = []
    // Whether what comes next belongs to the last one.
    var goesOn = false
    for line in comments.flatMap(\.lines) {
      for piece in pieces(line.text, isInside: goesOn && isOpen(annotations.last?.text ?? "")) {
        if piece.isEmpty {
          goesOn = goesOn && isOpen(annotations.last?.text ?? "")
        } else if let (key, text) = keyed(piece) {
          annotations.append(Annotation(key: key, text: text, file: file, line: line.number))
          goesOn = true
        } else if goesOn {
          annotations[annotations.count - 1].add(piece)
        } else {
          annotations.append(Annotation(key: "description", text: piece, file: file, line: line.number))
          goesOn = true
        }
      }
    }
    return joined(annotations)
  }

  private mutating func add(_ piece: String) {
    text += text.isEmpty ? piece : " \(piece)"
  }

  /// Paragraphs of description are one.
  private static func joined(_ annotations: [Annotation]) -> [Annotation] {
    var joined: [Annotation] = []
    for annotation in annotations {
      if annotation.key == "description", let first = joined.firstIndex(where: { $0.key == "description" }) {
        joined[first].text += " \(annotation.text)"
      } else {
        joined.append(annotation)
      }
    }
    return joined
  }

  /// `@sample {…}`: key and text; doxygen also writes `\sample`.
  private static func keyed(_ text: String) -> (key: String, text: String)? {
    guard let mark = text.first, mark == "@" || mark == "\\" else { return nil }
    let key = text.dropFirst().prefix { $0.isLetter || $0.isNumber || $0 == "_" }
    guard let first = key.first, !first.isNumber else { return nil }
    let rest = text.dropFirst(1 + key.count).drop { $0 == " " || $0 == "\t" || $0 == ":" }
    return (String(key), String(rest))
  }

  /// A line's text, cut before each known key, outside of JSON.
  private static func pieces(_ text: String, isInside: Bool) -> [String] {
    if isInside { return [text] }
    var pieces: [String] = []
    var start = text.startIndex
    var place = start
    while let mark = text[place...].firstIndex(of: "@") {
      place = text.index(after: mark)
      let key = text[place...].prefix { $0.isLetter || $0 == "_" }
      let before = text[start..<mark]
      guard mark > start, before.last == " ", AnnotationKey.all.contains(String(key)), !isOpen(String(before)) else {
        continue
      }
      pieces.append(trimmed(before))
      start = mark
    }
    return pieces + [trimmed(text[start...])]
  }

  private static func trimmed(_ text: Substring) -> String {
    var text = text
    while text.last == " " { text.removeLast() }
    return String(text)
  }

  /// Whether a text, its key aside, begins JSON in brackets that are not closed yet.
  private static func isOpen(_ text: String) -> Bool {
    let text = keyed(text)?.text ?? text
    guard text.first == "{" || text.first == "[" else { return false }
    var depth = 0
    var isInString = false
    var isEscaped = false
    for byte in text.utf8 {
      switch byte {
      case _ where isEscaped: isEscaped = false
      case UInt8(ascii: "\\") where isInString: isEscaped = true
      case UInt8(ascii: "\"") where depth > 0: isInString.toggle()
      case UInt8(ascii: "{"), UInt8(ascii: "["): if !isInString { depth += 1 }
      case UInt8(ascii: "}"), UInt8(ascii: "]"): if !isInString { depth -= 1 }
      default: break
      }
    }
    return depth > 0
  }
}

/// The keys that mean something, by what they stand on.
enum AnnotationKey {
  static let variable = ["description", "cmdarg"]
  static let map = ["description", "sample", "intepreter", "interpreter", "export_config"]
  static let program = ["description", "link", "attach_to", "ifindex", "flags", "xdpopts", "tchook", "tcopts"]
  static let license = ["brief", "details", "version", "description"]
  static let record = ["description", "export"]

  static let all = Set(variable + map + program + license + record)
  /// Those that are plain text.
  static let texts: Set = ["description", "brief", "details", "version"]
  /// Those that do nothing where they stand for nothing.
  static let binding = all.subtracting(texts + ["export"])

  static func example(_ key: String) -> String {
    switch key {
    case "cmdarg": #"{"short": "p"}"#
    case "sample": #"{"interval": 1000, "type": "log2_hist"}"#
    case "intepreter", "interpreter": #"{"stack_trace": {}}"#
    case "export_config": #""default""#
    case "tchook": #"{"ifindex": 1, "attach_point": "BPF_TC_INGRESS"}"#
    case "tcopts": #"{"handle": 1, "priority": 1}"#
    case "xdpopts": #"{"old_prog_fd": 0}"#
    case "link": "true"
    case "attach_to": #""profile:99""#
    default: "1"
    }
  }
}
