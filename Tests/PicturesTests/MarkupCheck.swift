/// What a document that must be well-formed holds: its elements, in order, with their attributes and their own text.
///
/// Reads the part of XML that pictures use, strictly: every element is closed, attributes are quoted and unique, `<` and
/// `&` stand in text only as references. In HTML, `style` and `script` hold raw text.
struct MarkupCheck {
  struct Element {
    var name: String
    var attributes: [String: String] = [:]
    /// Its own, references resolved; that of its children left out.
    var text = ""
  }

  struct Malformed: Error, CustomStringConvertible {
    var description: String
  }

  private(set) var elements: [Element] = []
  private var open: [Int] = []
  private var rest: Substring
  private let isHTML: Bool

  init(_ text: String, isHTML: Bool = false) throws {
    rest = text[...]
    self.isHTML = isHTML
    while !rest.isEmpty { try next() }
    guard open.isEmpty else { throw malformed("<\(elements[open[0]].name)> is not closed") }
  }

  func all(_ name: String, class wanted: String? = nil) -> [Element] {
    elements.filter { element in
      let classes = element.attributes["class"]?.split(separator: " ").map(String.init) ?? []
      return element.name == name && wanted.map(classes.contains) ?? true
    }
  }

  private func malformed(_ what: String) -> Malformed {
    Malformed(description: "\(what) before: \(rest.prefix(80))")
  }

  private mutating func take(_ text: String) -> Bool {
    guard rest.hasPrefix(text) else { return false }
    rest = rest.dropFirst(text.count)
    return true
  }

  private mutating func upTo(_ end: String) throws -> Substring {
    guard let range = rest.firstRange(of: end) else { throw malformed("no '\(end)'") }
    defer { rest = rest[range.upperBound...] }
    return rest[..<range.lowerBound]
  }

  private mutating func next() throws {
    if take("<?") {
      _ = try upTo("?>")
    } else if take("<!DOCTYPE") {
      _ = try upTo(">")
    } else if take("<![CDATA[") {
      try add(String(try upTo("]]>")))
    } else if take("</") {
      try close(String(try upTo(">")))
    } else if take("<") {
      try start()
    } else {
      try add(try resolved(rest.prefix { $0 != "<" }))
      rest = rest.drop { $0 != "<" }
    }
  }

  private mutating func add(_ text: String) throws {
    if let place = open.last {
      elements[place].text += text
    } else if !text.allSatisfy(\.isWhitespace) {
      throw malformed("text outside of the document")
    }
  }

  private mutating func close(_ name: String) throws {
    guard let place = open.popLast(), elements[place].name == name else { throw malformed("</\(name)> closes nothing") }
  }

  private mutating func start() throws {
    let name = try self.name()
    var element = Element(name: name)
    var isEmpty = false
    while true {
      let before = rest.count
      rest = rest.drop(while: \.isWhitespace)
      if take("/>") {
        isEmpty = true
        break
      }
      if take(">") { break }
      guard rest.count < before else { throw malformed("no blank before an attribute") }
      let attribute = try self.name()
      guard take("=\"") else { throw malformed("attribute '\(attribute)' without a quoted value") }
      let value = try upTo("\"")
      guard !value.contains("<"), element.attributes.updateValue(try resolved(value), forKey: attribute) == nil else {
        throw malformed("a bad or second attribute '\(attribute)'")
      }
    }
    elements.append(element)
    if isEmpty { return }
    open.append(elements.count - 1)
    guard isHTML, ["style", "script"].contains(name) else { return }
    try add(String(try upTo("</\(name)>")))
    open.removeLast()
  }

  private mutating func name() throws -> String {
    let name = rest.prefix { $0.isLetter || $0.isNumber || "-:_".contains($0) }
    guard let first = name.first, first.isLetter else { throw malformed("no name") }
    rest = rest.dropFirst(name.count)
    return String(name)
  }

  private static let references = ["amp": "&", "lt": "<", "gt": ">", "quot": "\"", "#39": "'"]

  private func resolved(_ text: Substring) throws -> String {
    // XML 1.0 §2.2: no other control characters than these, not even as references.
    guard text.unicodeScalars.allSatisfy({ $0.value >= 0x20 || "\t\n\r".unicodeScalars.contains($0) }) else {
      throw malformed("a control character")
    }
    var parts = text.split(separator: "&", omittingEmptySubsequences: false)
    var result = String(parts.removeFirst())
    for part in parts {
      guard let end = part.firstIndex(of: ";"), let meaning = Self.references[String(part[..<end])] else {
        throw malformed("a bare & in '\(part.prefix(20))'")
      }
      result += meaning + part[part.index(after: end)...]
    }
    return result
  }
}
