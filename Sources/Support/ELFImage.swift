/// The section and symbol tables of a 64-bit little-endian ELF file; nothing in it is trusted.
///
/// Source of the format: elf(5), /usr/include/elf.h.
///
/// ```swift
/// let image = try ELFImage(bytes: readFile("x.bpf.o"), name: "x.bpf.o")
/// let btf = image.section(".BTF").map(image.contents)
/// ```
public struct ELFImage: Sendable {
  public struct Section: Sendable, Equatable {
    public var name: String
    public var type: UInt32
    public var flags: UInt64
    public var address: UInt64
    public var offset: Int
    public var size: Int
    public var link: Int
  }

  public struct Symbol: Sendable, Equatable {
    public var name: String
    public var value: UInt64
    public var size: UInt64
    /// The low four bits of `st_info`: 2 is a function.
    public var type: UInt8
    public var section: Int
  }

  /// `e_machine` of BPF objects.
  public static let machineBPF: UInt16 = 247

  public let bytes: [UInt8]
  public let machine: UInt16
  public let type: UInt16
  public let sections: [Section]

  /// Reads the headers. Throws when the bytes are not ELF, are of another byte order or word size, or end too early;
  /// `name` says which file in the message.
  public init(bytes: [UInt8], name: String) throws(MoontraceError) {
    try Self.checkIdentity(bytes, name: name)
    self.bytes = bytes
    do throws(ByteCursor.Truncated) {
      var header = ByteCursor(bytes, at: 16)
      type = try header.read()
      machine = try header.read()
      sections = try Self.readSections(bytes)
    } catch {
      throw MoontraceError(
        .scriptFailed, "\(name): truncated ELF file: it has \(bytes.count) bytes, its headers speak of more")
    }
  }

  private static func checkIdentity(_ bytes: [UInt8], name: String) throws(MoontraceError) {
    guard bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46]) else {
      throw MoontraceError(
        .scriptFailed, "\(name): not an ELF file", remedy: "give an object that clang -target bpf made")
    }
    guard bytes.count >= 64 else {
      throw MoontraceError(.scriptFailed, "\(name): truncated ELF file: \(bytes.count) bytes")
    }
    guard bytes[4] == 2 else {
      throw MoontraceError(.scriptFailed, "\(name): a 32-bit ELF file; BPF objects are 64-bit")
    }
    guard bytes[5] == 1 else {
      throw MoontraceError(
        .scriptFailed, "\(name): built for big-endian machines; this one is little-endian",
        remedy: "compile with -target bpfel")
    }
  }

  private static func readSections(_ bytes: [UInt8]) throws(ByteCursor.Truncated) -> [Section] {
    var header = ByteCursor(bytes, at: 40)
    let tableOffset = Int(clamping: try header.read(UInt64.self))
    header.offset = 58
    let entrySize = Int(try header.read(UInt16.self))
    let count = Int(try header.read(UInt16.self))
    let namesIndex = Int(try header.read(UInt16.self))
    var sections: [Section] = []
    var nameOffsets: [Int] = []
    for index in 0..<count {
      let (section, nameOffset) = try readSection(bytes, at: tableOffset &+ index &* max(entrySize, 64))
      sections.append(section)
      nameOffsets.append(nameOffset)
    }
    guard sections.indices.contains(namesIndex) else { return sections }
    let names = sections[namesIndex]
    let strings = ByteCursor(bytes[names.offset..<names.offset + names.size])
    for index in sections.indices { sections[index].name = strings.text(at: nameOffsets[index]) ?? "" }
    return sections
  }

  private static func readSection(
    _ bytes: [UInt8], at offset: Int
  ) throws(ByteCursor.Truncated) -> (Section, nameOffset: Int) {
    var table = ByteCursor(bytes, at: offset)
    var cursor = ByteCursor(try table.read(count: 64))
    let nameOffset = Int(try cursor.read(UInt32.self))
    let type = try cursor.read(UInt32.self)
    let flags = try cursor.read(UInt64.self)
    let address = try cursor.read(UInt64.self)
    let start = Int(clamping: try cursor.read(UInt64.self))
    let size = Int(clamping: try cursor.read(UInt64.self))
    let link = Int(try cursor.read(UInt32.self))
    let occupiesFile = type != 8 && type != 0  // SHT_NOBITS and SHT_NULL have no bytes
    if occupiesFile, start > bytes.count || size > bytes.count - start {
      throw ByteCursor.Truncated(offset: bytes.count)
    }
    let section = Section(
      name: "", type: type, flags: flags, address: address, offset: occupiesFile ? start : 0,
      size: occupiesFile ? size : 0, link: link)
    return (section, nameOffset)
  }

  public func section(_ name: String) -> Section? {
    sections.first { $0.name == name }
  }

  public func contents(_ section: Section) -> ArraySlice<UInt8> {
    bytes[section.offset..<section.offset + section.size]
  }

  /// The symbols of `.symtab` (type 2) or `.dynsym` (type 11) in the table's order.
  ///
  /// A name outside the string table is empty. Reading stops at the table's end, or when the names together are so
  /// much longer than the string table that the file can't be honest.
  public func symbols(ofType tableType: UInt32 = 2) -> [Symbol] {
    guard let table = sections.first(where: { $0.type == tableType }), sections.indices.contains(table.link) else {
      return []
    }
    let strings = ByteCursor(contents(sections[table.link]))
    var cursor = ByteCursor(contents(table))
    var symbols: [Symbol] = []
    // Names may share bytes; a file in which each symbol had all of them would take memory without end.
    var allowance = 16 * strings.bytes.count + 4 * cursor.bytes.count
    while allowance > 0, let symbol = try? Self.readSymbol(&cursor, strings) {
      symbols.append(symbol)
      allowance -= symbol.name.utf8.count
    }
    return symbols
  }

  private static func readSymbol(_ cursor: inout ByteCursor, _ strings: ByteCursor) throws(ByteCursor.Truncated)
    -> Symbol
  {
    let name = Int(try cursor.read(UInt32.self))
    let info = try cursor.read(UInt8.self)
    _ = try cursor.read(UInt8.self)
    let section = Int(try cursor.read(UInt16.self))
    let value = try cursor.read(UInt64.self)
    let size = try cursor.read(UInt64.self)
    return Symbol(name: strings.text(at: name) ?? "", value: value, size: size, type: info & 0xf, section: section)
  }
}
