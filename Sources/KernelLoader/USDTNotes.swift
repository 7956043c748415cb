import Support

/// The USDT probes that an ELF file declares in its `.note.stapsdt` section.
///
/// Source of the format: systemtap's sys/sdt.h: ELF notes of type 3 named "stapsdt" that hold three addresses, then the
/// provider, name and arguments as NUL-terminated texts.
public struct USDTNotes {
  public struct Probe: Equatable, Sendable {
    public let provider: String
    public let name: String
    /// How its arguments are passed, in assembler's notation: `-4@%edi 8@%rsi`.
    public let arguments: String
  }

  /// In the file's order; a probe that is compiled in several places is there several times.
  public let probes: [Probe]

  /// Reads a file's probes; none when it has no such section. Throws `.usage` when the file can't be read.
  public init(path: String) throws(MoontraceError) {
    let image = try ELFImage(ofProbed: path)
    probes = image.section(".note.stapsdt").map { Self.parse(image.contents($0)) } ?? []
  }

  static func parse(_ notes: ArraySlice<UInt8>) -> [Probe] {
    var cursor = ByteCursor(notes)
    var probes: [Probe] = []
    while let note = try? readNote(&cursor) {
      if let probe = note { probes.append(probe) }
    }
    return probes
  }

  /// One note; nil inside when it is no probe.
  private static func readNote(_ cursor: inout ByteCursor) throws(ByteCursor.Truncated) -> Probe?? {
    let nameSize = Int(try cursor.read(UInt32.self))
    let size = Int(try cursor.read(UInt32.self))
    let type = try cursor.read(UInt32.self)
    _ = try cursor.read(count: padded(nameSize))
    let body = try cursor.read(count: size)
    cursor.offset += min(padded(size) - size, cursor.remaining)
    return .some(type == 3 ? probe(body) : nil)
  }

  private static func padded(_ size: Int) -> Int { (size + 3) & ~3 }

  private static func probe(_ body: ArraySlice<UInt8>) -> Probe? {
    let texts = body.dropFirst(24).split(separator: 0, maxSplits: 3, omittingEmptySubsequences: false)
    guard texts.count >= 3 else { return nil }
    let words = texts.prefix(3).map { String(decoding: $0, as: UTF8.self) }
    return Probe(provider: words[0], name: words[1], arguments: words[2])
  }
}
