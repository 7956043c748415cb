/// Pieces of the lines that libbpf 1.1 prints; it has no other way to say what failed.
enum LibbpfMessage {
  /// A line without `libbpf: ` and the final newline.
  static func text(_ line: String) -> String {
    var text = line[...]
    if text.hasPrefix("libbpf: ") { text = text.dropFirst(8) }
    while text.last == "\n" || text.last == "." { text = text.dropLast() }
    return String(text)
  }

  /// The text between `prefix` and the next `end` in the first line that has both; an empty `end` is the line's end.
  static func part(of lines: [String], after prefix: String, upTo end: String) -> String? {
    for line in lines {
      guard let start = find(prefix, in: line.utf8[...]) else { continue }
      let rest = line.utf8[line.utf8.index(start, offsetBy: prefix.utf8.count)...]
      if end.isEmpty { return text(String(Substring(rest))) }
      if let stop = find(end, in: rest) { return String(Substring(rest[..<stop])) }
    }
    return nil
  }

  /// Where `needle` first begins. Byte by byte: logs are long, and `String` comparison is for people's text.
  private static func find(_ needle: String, in text: Substring.UTF8View) -> Substring.UTF8View.Index? {
    let needle = Array(needle.utf8)
    guard let first = needle.first else { return text.startIndex }
    var rest = text
    while let start = rest.firstIndex(of: first) {
      if rest[start...].starts(with: needle) { return start }
      rest = rest[rest.index(after: start)...]
    }
    return nil
  }

  /// The verifier's log of the program that failed, without libbpf's frame.
  static func verifierLog(in lines: [String]) -> String? {
    part(of: lines, after: "-- BEGIN PROG LOAD LOG --\n", upTo: "-- END PROG LOAD LOG --")
  }
}
