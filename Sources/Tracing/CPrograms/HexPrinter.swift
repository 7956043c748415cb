import CEventCore

/// Prints records of which nothing says how they read: as bytes.
final class HexPrinter: RecordPrinter {
  private let label: String?
  private let format: OutputFormat
  private let output: Output
  private var needsHeader = true

  /// - Parameter label: the map's name; nil where there is one buffer.
  init(label: String?, format: OutputFormat, output: Output) {
    self.label = label
    self.format = format
    self.output = output
  }

  func drain(_ source: UnsafeMutablePointer<mt_source>, limit: UInt64) -> UInt64 {
    source.pointee.drain(source, limit, printRecord, Unmanaged.passUnretained(self).toOpaque())
  }

  fileprivate func print(_ bytes: UnsafeRawBufferPointer) -> Bool {
    switch format {
    case .json:
      let name = label.map { [("map", JSONText.quoted($0))] } ?? []
      output.write(JSONText.object(name + [("bytes", JSONText.quoted(Self.digits(bytes[...])))]) + "\n")
    case .csv:
      if needsHeader { output.write(label == nil ? "bytes\n" : "map,bytes\n") }
      output.write((label.map { "\($0)," } ?? "") + Self.digits(bytes[...]) + "\n")
    case .table: output.write("\(label?.printable ?? "record"), \(bytes.count) bytes\n" + Self.lines(bytes).joined())
    }
    needsHeader = false
    return !output.hasFailed
  }

  /// As `hexdump -C` writes them: offset, 16 bytes, their characters.
  private static func lines(_ bytes: UnsafeRawBufferPointer) -> [String] {
    stride(from: 0, to: bytes.count, by: 16).map { start in
      let row = bytes[start..<min(start + 16, bytes.count)]
      let digits = row.map(digits).joined(separator: " ")
      let padding = String(repeating: " ", count: 3 * (16 - row.count))
      let characters = row.map { (0x20..<0x7f).contains($0) ? Character(Unicode.Scalar($0)) : "." }
      return "  \(padded(String(start, radix: 16), 4))  \(digits)\(padding)  |\(String(characters))|\n"
    }
  }

  private static func digits(_ bytes: Slice<UnsafeRawBufferPointer>) -> String {
    bytes.map(digits).joined()
  }

  private static func digits(_ byte: UInt8) -> String { padded(String(byte, radix: 16), 2) }

  private static func padded(_ digits: String, _ count: Int) -> String {
    String(repeating: "0", count: max(0, count - digits.utf8.count)) + digits
  }
}

private let printRecord: mt_record_fn = { context, data, size in
  guard let context, let data else { return true }
  return Unmanaged<HexPrinter>.fromOpaque(context).takeUnretainedValue()
    .print(UnsafeRawBufferPointer(start: data, count: Int(size)))
}
