/// Writes relocatable ELF files for BPF, of the parts that libbpf reads.
///
/// Source of the format: elf(5), /usr/include/elf.h; relocations: the kernel's Documentation/bpf/llvm_reloc.rst.
struct ELFWriter {
  enum Content {
    case code
    case data
    /// Not part of what is loaded: type information.
    case information

    /// SHF_WRITE, SHF_ALLOC, SHF_EXECINSTR
    fileprivate var flags: UInt64 {
      switch self {
      case .code: 0x2 | 0x4
      case .data: 0x1 | 0x2
      case .information: 0
      }
    }
  }

  /// A global symbol.
  struct Symbol {
    enum Kind: UInt8 {
      case object = 1
      case function = 2
    }

    var name: String
    var kind: Kind
    var section: Int
    /// Bytes from the section's start.
    var offset: Int
    var size: Int
  }

  private struct Section {
    var name: String
    var type: UInt32
    var flags: UInt64 = 0
    var contents: [UInt8]
    var link: UInt32 = 0
    var info: UInt32 = 0
    var entrySize: UInt64 = 0
  }

  private struct Relocation {
    var section: Int
    var offset: Int
    var symbol: String
  }

  /// Section 0 is nothing; 1 and 2 are the string and symbol tables, made at the end.
  private static let (stringTable, symbolTable, firstOwn) = (1, 2, 3)
  private var sections: [Section] = []
  private var symbols: [Symbol] = []
  private var relocations: [Relocation] = []

  /// Adds a section; its number.
  @discardableResult
  mutating func add(_ name: String, _ content: Content, _ contents: [UInt8]) -> Int {
    sections.append(Section(name: name, type: 1, flags: content.flags, contents: contents))
    return Self.firstOwn + sections.count - 1
  }

  mutating func add(_ symbol: Symbol) {
    symbols.append(symbol)
  }

  /// Lets the loader put the address of a symbol into an `ld_imm64` instruction.
  mutating func relocate(section: Int, offset: Int, to symbol: String) {
    relocations.append(Relocation(section: section, offset: offset, symbol: symbol))
  }

  /// The file: its header, the sections' contents, and the table of sections.
  func bytes() -> [UInt8] {
    var strings = TextTable()
    let symbolBytes = symbolEntries(&strings)
    var all = sections + relocationSections()
    let names = all.map { strings.add($0.name) }
    let ownNames = [strings.add(".strtab"), strings.add(".symtab")]
    // Global symbols start at index 1, behind the empty one.
    let tables = [
      Section(name: ".strtab", type: 3, contents: strings.bytes),
      Section(
        name: ".symtab", type: 2, contents: symbolBytes, link: UInt32(Self.stringTable), info: 1, entrySize: 24),
    ]
    all = tables + all
    return Self.file(all, nameOffsets: ownNames + names)
  }

  private func symbolEntries(_ strings: inout TextTable) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 24)
    for symbol in symbols {
      bytes.append(littleEndian: strings.add(symbol.name))
      bytes += [1 << 4 | symbol.kind.rawValue, 0]  // STB_GLOBAL
      bytes.append(littleEndian: UInt16(symbol.section))
      bytes.append(littleEndian: UInt64(symbol.offset))
      bytes.append(littleEndian: UInt64(symbol.size))
    }
    return bytes
  }

  /// One section of R_BPF_64_64 entries for each section that has some.
  private func relocationSections() -> [Section] {
    Set(relocations.map(\.section)).sorted().map { number in
      var entries: [UInt8] = []
      for relocation in relocations where relocation.section == number {
        let symbol = symbols.firstIndex { $0.name == relocation.symbol }.map { $0 + 1 } ?? 0
        entries.append(littleEndian: UInt64(relocation.offset))
        entries.append(littleEndian: UInt64(symbol) << 32 | 1)
      }
      return Section(
        name: ".rel" + sections[number - Self.firstOwn].name, type: 9, contents: entries,
        link: UInt32(Self.symbolTable), info: UInt32(number), entrySize: 16)
    }
  }

  private static func file(_ sections: [Section], nameOffsets: [UInt32]) -> [UInt8] {
    var body: [UInt8] = []
    var table = [UInt8](repeating: 0, count: 64)
    for (section, name) in zip(sections, nameOffsets) {
      body.pad(to: 8)
      table += entry(section, nameOffset: name, offset: headerSize + body.count)
      body += section.contents
    }
    body.pad(to: 8)
    return header(tableOffset: headerSize + body.count, sectionCount: sections.count + 1) + body + table
  }

  private static let headerSize = 64

  private static func entry(_ section: Section, nameOffset: UInt32, offset: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(littleEndian: nameOffset)
    bytes.append(littleEndian: section.type)
    for word in [section.flags, 0, UInt64(offset), UInt64(section.contents.count)] { bytes.append(littleEndian: word) }
    bytes.append(littleEndian: section.link)
    bytes.append(littleEndian: section.info)
    bytes.append(littleEndian: UInt64(8))
    bytes.append(littleEndian: section.entrySize)
    return bytes
  }

  /// 64-bit, little-endian, relocatable (1), for BPF (247).
  private static func header(tableOffset: Int, sectionCount: Int) -> [UInt8] {
    var bytes: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    for half in [UInt16(1), 247] { bytes.append(littleEndian: half) }
    bytes.append(littleEndian: UInt32(1))
    for word in [0, 0, UInt64(tableOffset)] { bytes.append(littleEndian: word) }
    bytes.append(littleEndian: UInt32(0))
    for half in [UInt16(headerSize), 0, 0, 64, UInt16(sectionCount), UInt16(stringTable)] {
      bytes.append(littleEndian: half)
    }
    return bytes
  }
}

/// NUL-terminated texts, one behind the other, that are referred to by their offset; the first is empty.
struct TextTable {
  private(set) var bytes: [UInt8] = [0]

  /// Adds a text; its offset.
  mutating func add(_ text: String) -> UInt32 {
    defer { bytes += Array(text.utf8) + [0] }
    return UInt32(bytes.count)
  }
}

extension [UInt8] {
  mutating func append(littleEndian value: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }

  fileprivate mutating func pad(to size: Int) {
    while count % size != 0 { append(0) }
  }
}
