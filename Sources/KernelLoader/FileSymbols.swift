import Support

/// The functions of one executable or library by their place in the file.
struct FileSymbols {
  private var table = SymbolTable()

  /// None when the file can't be read or is not ELF.
  init(path: String) {
    guard let bytes = try? readFile(path), let image = try? ELFImage(bytes: bytes, name: path) else { return }
    let full = image.symbols()
    // A stripped file still has the symbols that it exports.
    for symbol in full.isEmpty ? image.symbols(ofType: 11) : full where symbol.type == 2 {
      guard let offset = Self.fileOffset(symbol, image) else { continue }
      table.append(address: offset, size: symbol.size, name: symbol.name.utf8)
    }
    table.sort()
  }

  func find(fileOffset: UInt64) -> (name: String, offset: UInt64)? {
    table.find(fileOffset)
  }

  /// Symbols have addresses; a section says where in the file its addresses begin. Position-independent or not, a
  /// mapping is of file bytes, so file offsets are what both sides have in common.
  private static func fileOffset(_ symbol: ELFImage.Symbol, _ image: ELFImage) -> UInt64? {
    guard symbol.section > 0, image.sections.indices.contains(symbol.section) else { return nil }
    let section = image.sections[symbol.section]
    guard symbol.value >= section.address, symbol.value - section.address < UInt64(section.size) else { return nil }
    return symbol.value - section.address + UInt64(section.offset)
  }
}
