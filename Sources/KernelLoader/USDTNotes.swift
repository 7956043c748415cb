import Support

/// The USDT probes that an ELF file declares in its `.note.stapsdt` section.
///
/// Source of the format: systemtap's sys/sdt.h: ELF notes of type 3 named "stapsdt" that hold three addresses (of the
/// probe, of `.stapsdt.base` when the file was linked, of the semaphore), then the provider, name and arguments as
/// NUL-terminated texts.
public struct USDTNotes {
  public struct Probe: Hashable, Sendable {
    public let provider: String
    public let name: String
    /// How its arguments are passed, in assembler's notation: `-4@%edi 8@%rsi`.
    public let arguments: String
    /// Where it stands: bytes from the file's start.
    public let offset: UInt64
    /// Bytes from the file's start to the 16-bit count of its tracers, which the program tests; 0 when it has none.
    public let semaphore: UInt64
  }

  /// In the file's order; a probe that is compiled in several places is there several times.
  public let probes: [Probe]

  /// Reads a file's probes; none when it has no such section. Throws `.usage` when the file can't be read.
  public init(path: String) throws(MoontraceError) {
    let image = try ELFImage(ofProbed: path)
    let notes = image.section(".note.stapsdt").map { Self.parse(image.contents($0)) } ?? []
    probes = notes.compactMap { $0.probe(in: image) }
  }

  /// The places of one probe.
  ///
  /// - Parameter path: the file's, for errors.
  /// - Throws: `.usage` with a suggestion when the file has no such probe.
  public func places(provider: String, name: String, path: String) throws(MoontraceError) -> [Probe] {
    let places = probes.filter { $0.provider == provider && $0.name == name }
    if !places.isEmpty { return places }
    if probes.isEmpty { throw MoontraceError(.usage, "\(path) has no USDT probes") }
    let wanted = "\(provider):\(name)"
    let hint = suggestionHint(for: wanted, in: probes.map { "\($0.provider):\($0.name)" })
    throw MoontraceError(.usage, "\(path) has no USDT probe \(wanted)\(hint)")
  }

  /// A note as it stands in the file.
  struct Note {
    let provider: String
    let name: String
    let arguments: String
    let address: UInt64
    let base: UInt64
    let semaphore: UInt64

    /// nil when no section holds its address.
    func probe(in image: ELFImage) -> Probe? {
      // Tools that move sections after the link (prelink) don't correct notes.
      let shift = image.section(".stapsdt.base").map { $0.address &- base } ?? 0
      guard let offset = image.fileOffset(ofAddress: address &+ shift) else { return nil }
      return Probe(
        provider: provider, name: name, arguments: arguments, offset: offset,
        semaphore: semaphore == 0 ? 0 : image.fileOffset(ofAddress: semaphore &+ shift) ?? 0)
    }
  }

  static func parse(_ notes: ArraySlice<UInt8>) -> [Note] {
    var cursor = ByteCursor(notes)
    var probes: [Note] = []
    while let body = try? readBody(&cursor) {
      if let body, let note = try? note(body) { probes.append(note) }
    }
    return probes
  }

  /// The body of one note; nil inside when it is no probe.
  private static func readBody(_ cursor: inout ByteCursor) throws(ByteCursor.Truncated) -> ArraySlice<UInt8>?? {
    let nameSize = Int(try cursor.read(UInt32.self))
    let size = Int(try cursor.read(UInt32.self))
    let type = try cursor.read(UInt32.self)
    _ = try cursor.read(count: padded(nameSize))
    let body = try cursor.read(count: size)
    cursor.offset += min(padded(size) - size, cursor.remaining)
    return .some(type == 3 ? body : nil)
  }

  private static func padded(_ size: Int) -> Int { (size + 3) & ~3 }

  private static func note(_ body: ArraySlice<UInt8>) throws(ByteCursor.Truncated) -> Note? {
    var cursor = ByteCursor(body)
    let (address, base, semaphore) = (
      try cursor.read(UInt64.self), try cursor.read(UInt64.self), try cursor.read(UInt64.self)
    )
    let texts = body.dropFirst(24).split(separator: 0, maxSplits: 3, omittingEmptySubsequences: false)
    guard texts.count >= 3 else { return nil }
    let words = texts.prefix(3).map { String(decoding: $0, as: UTF8.self) }
    return Note(
      provider: words[0], name: words[1], arguments: words[2], address: address, base: base, semaphore: semaphore)
  }
}

extension ELFImage {
  /// Where in the file the byte of an address lies; nil when no section with bytes holds it.
  func fileOffset(ofAddress address: UInt64) -> UInt64? {
    let section = sections.first {
      $0.size > 0 && $0.address != 0 && address >= $0.address && address - $0.address < UInt64($0.size)
    }
    return section.map { address - $0.address + UInt64($0.offset) }
  }
}
