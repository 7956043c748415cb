/// Reads the rows that `mt_output_csv_record` writes (RFC 4180, ended by line feeds).
struct CSVReader {
  let bytes: UnsafeRawBufferPointer
  private var place = 0

  init(bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
  }

  mutating func rows() -> [[String]] {
    var rows: [[String]] = []
    while place < bytes.count { rows.append(row()) }
    return rows
  }

  private mutating func row() -> [String] {
    var fields = [field()]
    while take(UInt8(ascii: ",")) { fields.append(field()) }
    _ = take(UInt8(ascii: "\n"))
    return fields
  }

  private mutating func field() -> String {
    if take(UInt8(ascii: "\"")) { return quoted() }
    let end = bytes[place...].firstIndex { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "\n") } ?? bytes.count
    defer { place = end }
    return String(decoding: bytes[place..<end], as: UTF8.self)
  }

  /// Two quotes are one; one alone ends the field.
  private mutating func quoted() -> String {
    var text: [UInt8] = []
    while place < bytes.count {
      let byte = bytes[place]
      place += 1
      if byte == UInt8(ascii: "\""), !take(byte) { break }
      text.append(byte)
    }
    return String(decoding: text, as: UTF8.self)
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard place < bytes.count, bytes[place] == byte else { return false }
    place += 1
    return true
  }
}
