/// What a server answers: the status, the fields that this room reads, and the body (RFC 9112 §4).
struct HTTPResponse {
  let status: Int
  /// What stands behind the status; empty with HTTP/2.
  let reason: String
  let body: [UInt8]
  /// By lower-case names.
  private let fields: [String: String]

  /// nil when it does not begin with a status line and fields. Interim answers before the one that counts are skipped.
  init?(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while true {
      guard let head = Head(&rest) else { return nil }
      if head.status < 200 { continue }
      (status, reason, fields, body) = (head.status, head.reason, head.fields, Array(rest))
      return
    }
  }

  /// A field's value by its name in lower case.
  func field(_ name: String) -> String? { fields[name] }
}

/// A status line and the fields behind it.
private struct Head {
  var status: Int
  var reason: String
  var fields: [String: String] = [:]

  /// Takes them from the beginning of some bytes.
  init?(_ bytes: inout ArraySlice<UInt8>) {
    let end: [UInt8] = [0x0d, 0x0a, 0x0d, 0x0a]
    guard let last = bytes.indices.first(where: { bytes[$0...].starts(with: end) }) else { return nil }
    let lines = String(decoding: bytes[..<last], as: UTF8.self).split(whereSeparator: \.isNewline)
    let words = lines.first?.split(separator: " ", maxSplits: 2) ?? []
    guard words.count >= 2, words[0].hasPrefix("HTTP/"), let status = Int(words[1]) else { return nil }
    self.status = status
    reason = words.count > 2 ? String(words[2]) : ""
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      fields[line[..<colon].lowercased()] = line[colon...].dropFirst().trimmed
    }
    bytes = bytes[(last + end.count)...]
  }
}

extension Substring {
  fileprivate var trimmed: String {
    let start = drop { $0 == " " || $0 == "\t" }
    return start.lastIndex { $0 != " " && $0 != "\t" }.map { String(start[...$0]) } ?? ""
  }
}
