/// What matters in the kernel verifier's log.
struct VerifierLog: Equatable {
  /// The verifier's last complaint: one line, or two when the first alone says too little.
  var complaint: String?
  /// The instruction that it looked at last, as an index in the loaded program.
  var instruction: Int?
  /// The source text it looked at last, from `; text` lines.
  var sourceText: String?
  /// `file:line` of it, which kernels from 6.9 on print: `; text @ file.c:12`.
  var location: String?

  init(_ log: String) {
    for line in log.split(separator: "\n").reversed() {
      if line.hasPrefix("; ") {
        readSource(line.dropFirst(2))
        break
      }
      if let index = Self.instructionIndex(line) {
        instruction = instruction ?? index
      } else if !Self.isNoise(line), instruction == nil {
        complaint = complaint.map { Self.saysTooLittle($0) ? "\(line): \($0)" : $0 } ?? String(line)
      }
    }
  }

  private mutating func readSource(_ text: Substring) {
    guard let at = text.lastIndex(of: "@"), text[at...].contains(":") else {
      sourceText = String(text)
      return
    }
    location = Self.trimmed(text[text.index(after: at)...])
    sourceText = Self.trimmed(text[..<at])
  }

  private static func trimmed(_ text: Substring) -> String {
    String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }

  /// `12: (61) r1 = …` is instruction 12; `12: R0=…` is the state before it.
  private static func instructionIndex(_ line: Substring) -> Int? {
    guard let colon = line.firstIndex(of: ":"), let index = Int(line[..<colon]) else { return nil }
    return line[colon...].hasPrefix(": (") || line[colon...].hasPrefix(": R") || line[colon...].hasPrefix(": <")
      ? index : nil
  }

  /// The statistics at the end, and register states.
  private static func isNoise(_ line: Substring) -> Bool {
    let prefixes = [
      "processed ", "verification time ", "stack depth ", "from ", "mark_precise:", "last_idx ", "first_idx ",
      "parent ", "propagating ", "cur state:", "old state:", " R",
    ]
    return line.isEmpty || prefixes.contains { line.hasPrefix($0) }
  }

  private static func saysTooLittle(_ complaint: String) -> Bool {
    complaint.hasPrefix("The sequence of ") || complaint.hasPrefix("verification ")
  }
}
