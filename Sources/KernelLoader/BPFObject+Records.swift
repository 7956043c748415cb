import BPFAssembly
import Support

extension BPFObject {
  /// The sizes of the records that the object's code sends to each of its buffers, by the map's name, where the code
  /// holds them as constants. Functions that are not inlined count too; buffers that are `static` are not found.
  public var recordSizes: [String: Set<Int>] {
    let symbols = image.symbols()
    let maps = Set(maps.map(\.name))
    var sizes: [String: Set<Int>] = [:]
    for section in image.sections where section.isCode {
      let buffers = relocations(of: section, symbols).mapValues(\.name).filter { maps.contains($0.value) }
      if buffers.isEmpty { continue }
      for call in OutputCall.all(in: Instruction.array(image.contents(section))) {
        guard let size = call.size, let map = buffers[call.buffer] else { continue }
        sizes[map, default: []].insert(size)
      }
    }
    return sizes
  }

  /// The symbols that a section's instructions refer to, by the instruction's index.
  ///
  /// Source of the format: `Elf64_Rel` in elf(5): 8 bytes of offset, then the type and above it the symbol's number.
  func relocations(of section: ELFImage.Section, _ symbols: [ELFImage.Symbol]) -> [Int: ELFImage.Symbol] {
    guard let table = image.section(".rel" + section.name) else { return [:] }
    var cursor = ByteCursor(image.contents(table))
    var found: [Int: ELFImage.Symbol] = [:]
    while let offset = try? cursor.read(UInt64.self), let info = try? cursor.read(UInt64.self) {
      let number = Int(info >> 32)
      guard symbols.indices.contains(number) else { continue }
      found[Int(clamping: offset / 8)] = symbols[number]
    }
    return found
  }
}

extension ELFImage.Section {
  /// `SHF_EXECINSTR` (elf.h).
  fileprivate var isCode: Bool { flags & 4 != 0 && size > 0 }
}
