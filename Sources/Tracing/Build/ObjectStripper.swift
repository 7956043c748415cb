import Support

/// Takes the debug information for debuggers (DWARF) out of an object and leaves BTF in it, as `llvm-strip -g` does: an
/// object compiled with `vmlinux.h` becomes a twentieth of its size.
///
/// Source of the format: elf(5), /usr/include/elf.h.
struct ObjectStripper {
  private static let (symbolTable, relocationsWithAddend, withoutBytes, relocations) = (2, 4, 8, 9)
  /// SHT_LLVM_ADDRSIG lists symbols by number, for linkers.
  private static let addressSignificance: UInt32 = 0x6fff_4c03
  private static let headerSize = 64
  private static let symbolSize = 24
  private static let fileSymbol: UInt8 = 4

  private let image: ELFImage
  private let table: Int
  /// The new number of each section that stays; nil for those that go.
  private let numbers: [Int?]
  /// The new number of each symbol; 0, the symbol without a name, for those that go.
  private var symbolNumbers: [Int] = []
  private var symbols: [UInt8] = []
  private var localCount = 0

  /// The object without its debug sections.
  ///
  /// - Throws: `.scriptFailed` when it is no ELF object.
  static func strip(_ bytes: [UInt8], name: String) throws(MoontraceError) -> [UInt8] {
    var stripper = ObjectStripper(try ELFImage(bytes: bytes, name: name))
    stripper.readSymbols()
    return stripper.file()
  }

  private init(_ image: ELFImage) {
    self.image = image
    table = Int(image.bytes.integer(at: 40, UInt64.self))
    var count = 0
    let targets = image.sections.indices.map { [image, table] index in
      Int(image.bytes.integer(at: table + Self.headerSize * index + 44, UInt32.self))
    }
    let isDebug = image.sections.map { $0.name.hasPrefix(".debug_") || $0.type == Self.addressSignificance }
    numbers = image.sections.indices.map { index in
      let type = Int(image.sections[index].type)
      let isRelocations = type == Self.relocations || type == Self.relocationsWithAddend
      let target = targets[index]
      if isDebug[index] || isRelocations && isDebug.indices.contains(target) && isDebug[target] { return nil }
      defer { count += 1 }
      return count
    }
  }

  private mutating func readSymbols() {
    guard let section = image.sections.first(where: { $0.type == Self.symbolTable }) else { return }
    let entries = Array(image.contents(section))
    for start in stride(from: 0, to: entries.count - Self.symbolSize + 1, by: Self.symbolSize) {
      var entry = Array(entries[start..<start + Self.symbolSize])
      let home = Int(entry.integer(at: 6, UInt16.self))
      let moved = numbers.indices.contains(home) ? numbers[home] : home
      guard let moved, start == 0 || entry[4] & 0xf != Self.fileSymbol else {
        symbolNumbers.append(0)
        continue
      }
      entry.set(UInt16(moved), at: 6)
      symbolNumbers.append(symbols.count / Self.symbolSize)
      symbols += entry
      if entry[4] >> 4 == 0 { localCount += 1 }
    }
  }

  private func file() -> [UInt8] {
    var body = Array(image.bytes[..<Self.headerSize])
    var headers: [UInt8] = []
    for index in image.sections.indices where numbers[index] != nil {
      let section = image.sections[index]
      var header = Array(image.bytes[(table + Self.headerSize * index)...].prefix(Self.headerSize))
      let contents = contents(of: section)
      let alignment = max(1, min(64, Int(clamping: header.integer(at: 48, UInt64.self))))
      body += [UInt8](repeating: 0, count: (alignment - body.count % alignment) % alignment)
      header.set(UInt64(section.type == 0 ? 0 : body.count), at: 24)
      if section.type != Self.withoutBytes { header.set(UInt64(contents.count), at: 32) }
      renumber(&header, of: section)
      body += contents
      headers += header
    }
    body += [UInt8](repeating: 0, count: (8 - body.count % 8) % 8)
    body.set(UInt64(body.count), at: 40)
    body.set(UInt16(headers.count / Self.headerSize), at: 60)
    body.set(UInt16(new(Int(body.integer(at: 62, UInt16.self)))), at: 62)
    return body + headers
  }

  private func new(_ section: Int) -> Int { numbers.indices.contains(section) ? numbers[section] ?? 0 : 0 }

  private func contents(of section: ELFImage.Section) -> [UInt8] {
    switch Int(section.type) {
    case Self.symbolTable: symbols
    case Self.relocations: relocated(Array(image.contents(section)), entrySize: 16)
    case Self.relocationsWithAddend: relocated(Array(image.contents(section)), entrySize: 24)
    default: Array(image.contents(section))
    }
  }

  /// Relocations name symbols by number, in the upper half of `r_info`.
  private func relocated(_ entries: [UInt8], entrySize: Int) -> [UInt8] {
    var entries = entries
    for start in stride(from: 0, to: entries.count - entrySize + 1, by: entrySize) {
      let symbol = Int(entries.integer(at: start + 12, UInt32.self))
      entries.set(UInt32(symbolNumbers.indices.contains(symbol) ? symbolNumbers[symbol] : 0), at: start + 12)
    }
    return entries
  }

  /// `sh_link` is a section for all that have one; `sh_info` is one for relocations, and the number of local symbols for
  /// the symbol table.
  private func renumber(_ header: inout [UInt8], of section: ELFImage.Section) {
    header.set(UInt32(new(section.link)), at: 40)
    switch Int(section.type) {
    case Self.symbolTable: header.set(UInt32(localCount), at: 44)
    case Self.relocations, Self.relocationsWithAddend:
      header.set(UInt32(new(Int(header.integer(at: 44, UInt32.self)))), at: 44)
    default: break
    }
  }
}

extension [UInt8] {
  /// A little-endian integer; 0 outside of the bytes.
  fileprivate func integer<Value: FixedWidthInteger>(at offset: Int, _: Value.Type) -> Value {
    guard offset >= 0, offset + MemoryLayout<Value>.size <= count else { return 0 }
    return Value(littleEndian: withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: Value.self) })
  }

  fileprivate mutating func set<Value: FixedWidthInteger>(_ value: Value, at offset: Int) {
    guard offset >= 0, offset + MemoryLayout<Value>.size <= count else { return }
    withUnsafeMutableBytes { $0.storeBytes(of: value.littleEndian, toByteOffset: offset, as: Value.self) }
  }
}
