import Support

/// The line of each instruction is stored as its distance from the instruction's before, in a byte; where that does
/// not fit, and now and then between, the line itself stands in a second list (ldebug.c, luaG_getfuncline).
extension LuaPrototype {
  /// A distance that says: the line stands in the second list.
  private static let absolute = Int8.min

  static func readLines(
    _ reader: inout DumpReader, first: Int, count: Int
  ) throws(MoontraceError) -> [Int32] {
    let start = reader.offset
    let distances = try reader.bytes(reader.count(of: "line distances", size: 1), of: "line distances")
    let known = try readAbsoluteLines(&reader)
    guard !distances.isEmpty else { return [] }
    guard distances.count == count else {
      throw reader.failure("\(distances.count) lines for \(count) instructions", at: start)
    }
    var lines: [Int32] = []
    var line = first
    for (pc, byte) in distances.enumerated() {
      let distance = Int8(bitPattern: byte)
      if distance != absolute {
        line += Int(distance)
      } else if let stored = known[pc] {
        line = stored
      } else {
        throw reader.failure("the line of instruction \(pc) is missing", at: start)
      }
      guard let value = Int32(exactly: line) else {
        throw reader.failure("the line of instruction \(pc) is \(line)", at: start)
      }
      lines.append(value)
    }
    return lines
  }

  private static func readAbsoluteLines(_ reader: inout DumpReader) throws(MoontraceError) -> [Int: Int] {
    var lines: [Int: Int] = [:]
    for _ in 0..<(try reader.count(of: "absolute lines", size: 2)) {
      let pc = try reader.number("an instruction's number")
      lines[pc] = try reader.number("a line")
    }
    return lines
  }
}
