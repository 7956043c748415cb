import Support
import Testing

/// ELF files made by hand, sound ones and damaged ones.
struct ELFImageTests {
  /// A BPF object with `.text`, `.bss`, and a symbol table that holds one function.
  private static func object() -> [UInt8] {
    let names = Array("\0.text\0.bss\0.symtab\0.strtab\0work\0".utf8)
    let text: [UInt8] = [0x95, 0, 0, 0, 0, 0, 0, 0]
    let symbols =
      symbol(name: 0, info: 0, section: 0, value: 0, size: 0)
      + symbol(name: 28, info: 0x12, section: 1, value: 0, size: 8)
    let (textStart, namesStart) = (64, 64 + text.count)
    let symbolsStart = namesStart + names.count
    var file: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + Array(repeating: 0, count: 9)
    file += half(1) + half(247) + word(1) + wide(0) + wide(0) + wide(symbolsStart + symbols.count) + word(0)
    file += half(64) + half(0) + half(0) + half(64) + half(5) + half(4)
    file += text + names + symbols
    file += section(name: 0, type: 0, offset: 0, size: 0, link: 0)
    file += section(name: 1, type: 1, offset: textStart, size: text.count, link: 0)
    file += section(name: 7, type: 8, offset: 1 << 40, size: 1 << 40, link: 0)
    file += section(name: 12, type: 2, offset: symbolsStart, size: symbols.count, link: 4)
    file += section(name: 20, type: 3, offset: namesStart, size: names.count, link: 0)
    return file
  }

  private static func section(name: Int, type: Int, offset: Int, size: Int, link: Int) -> [UInt8] {
    word(name) + word(type) + wide(0) + wide(0) + wide(offset) + wide(size) + word(link) + word(0) + wide(1) + wide(0)
  }

  private static func symbol(name: Int, info: UInt8, section: Int, value: Int, size: Int) -> [UInt8] {
    word(name) + [info, 0] + half(section) + wide(value) + wide(size)
  }

  private static func bytes(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
  private static func half(_ value: Int) -> [UInt8] { bytes(value, 2) }
  private static func word(_ value: Int) -> [UInt8] { bytes(value, 4) }
  private static func wide(_ value: Int) -> [UInt8] { bytes(value, 8) }

  @Test func sectionsAndSymbolsAreRead() throws {
    let image = try ELFImage(bytes: Self.object(), name: "x.o")
    #expect(image.machine == ELFImage.machineBPF)
    #expect(image.sections.map(\.name) == ["", ".text", ".bss", ".symtab", ".strtab"])
    #expect(image.section(".text").map { Array(image.contents($0)) } == [0x95, 0, 0, 0, 0, 0, 0, 0])
    #expect(image.section(".bss").map(image.contents)?.isEmpty == true)
    #expect(image.section(".nothing") == nil)
    let work = try #require(image.symbols().last)
    #expect((work.name, work.size, work.type, work.section) == ("work", 8, 2, 1))
    #expect(image.symbols(ofType: 11).isEmpty)
  }

  @Test func everyTruncationIsRefused() {
    let file = Self.object()
    for length in 0..<file.count {
      let error = #expect(throws: MoontraceError.self, "\(length) bytes") {
        try ELFImage(bytes: Array(file[..<length]), name: "x.o")
      }
      #expect(error?.message.hasPrefix("x.o: ") == true)
    }
  }

  @Test func filesOfOtherKindsAreNamed() {
    let cases: [(position: Int, value: UInt8, what: String)] = [
      (0, 0, "not an ELF file"), (4, 1, "32-bit"), (5, 2, "big-endian"),
    ]
    for (position, value, what) in cases {
      var file = Self.object()
      file[position] = value
      let error = #expect(throws: MoontraceError.self) { try ELFImage(bytes: file, name: "x.o") }
      #expect(error?.message.contains(what) == true)
    }
  }

  @Test func numbersWithoutBoundsAreRefused() {
    for (position, count) in [(40, 8), (58, 2), (60, 2)] {
      var file = Self.object()
      file.replaceSubrange(position..<position + count, with: Array(repeating: 0xff, count: count))
      #expect(throws: MoontraceError.self) { try ELFImage(bytes: file, name: "x.o") }
    }
  }

  /// Every byte replaced by telling values: the file is read or refused, and reading its symbols ends.
  @Test func damagedFilesNeverCrash() {
    let sound = Self.object()
    for position in sound.indices {
      for value in [0, 1, 0x7f, 0x80, 0xff] as [UInt8] {
        var file = sound
        file[position] = value
        guard let image = try? ELFImage(bytes: file, name: "x.o") else { continue }
        _ = image.symbols()
        for section in image.sections { _ = image.contents(section) }
      }
    }
  }

  /// Thousands of symbols that all take the whole string table as their name would be gigabytes of text.
  @Test func symbolsThatShareOneEndlessNameAreNotAllRead() throws {
    let names = [0] + [UInt8](repeating: 0x61, count: 1 << 16) + [0]
    let symbols = (0..<4096).flatMap { _ in Self.symbol(name: 1, info: 2, section: 1, value: 0, size: 0) }
    var file: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1] + Array(repeating: 0, count: 9)
    file += Self.half(1) + Self.half(247) + Self.word(1) + Self.wide(0) + Self.wide(0)
    file += Self.wide(64 + names.count + symbols.count) + Self.word(0)
    file += Self.half(64) + Self.half(0) + Self.half(0) + Self.half(64) + Self.half(2) + Self.half(0)
    file += names + symbols
    file += Self.section(name: 0, type: 3, offset: 64, size: names.count, link: 0)
    file += Self.section(name: 0, type: 2, offset: 64 + names.count, size: symbols.count, link: 0)
    #expect(try ELFImage(bytes: file, name: "x.o").symbols().count < 100)
  }
}
