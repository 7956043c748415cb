import Support

/// A BPF object that is made in this process instead of by a C compiler: programs and maps to the bytes of a `.bpf.o`.
///
/// The bytes go the way of every other object: `BPFObject` opens, loads and attaches them, and its errors name these
/// programs and sections. The license is GPL.
///
/// ```swift
/// let image = ObjectImage(programs: [.init(name: "on_exit", section: "tp/sched/sched_process_exit", code: code)])
/// let object = try BPFObject(bytes: image.bytes(), name: "script.lua")
/// ```
public struct ObjectImage: Equatable, Sendable {
  /// A program: a function that is alone under its name.
  public struct Program: Equatable, Sendable {
    /// A C identifier; the kernel shows its first 15 characters.
    public var name: String
    /// What libbpf takes its type and target from: `kprobe/do_exit`, `tp_btf/sched_switch`, `perf_event`. Programs may
    /// share a section.
    public var section: String
    /// Its instructions, eight bytes each, as `struct bpf_insn` (linux/bpf.h) lays them out.
    public var code: [UInt8]
    /// The maps that it uses: which `ld_imm64` instruction, by its index, loads the address of the map of which name.
    public var maps: [Int: String]

    public init(name: String, section: String, code: [UInt8], maps: [Int: String] = [:]) {
      self.name = name
      self.section = section
      self.code = code
      self.maps = maps
    }
  }

  /// A map as `BPF_MAP_CREATE` of bpf(2) takes it.
  public struct Map: Equatable, Sendable {
    /// A C identifier.
    public var name: String
    public var type: MapType
    /// Bytes.
    public var keySize: UInt32
    /// Bytes.
    public var valueSize: UInt32
    public var maxEntries: UInt32

    public init(name: String, type: MapType, keySize: UInt32, valueSize: UInt32, maxEntries: UInt32) {
      self.name = name
      self.type = type
      self.keySize = keySize
      self.valueSize = valueSize
      self.maxEntries = maxEntries
    }
  }

  public var programs: [Program]
  public var maps: [Map]

  public init(programs: [Program], maps: [Map] = []) {
    self.programs = programs
    self.maps = maps
  }

  /// The object file.
  ///
  /// - Throws: `.usage` for a name that is empty or comes twice, a section that can't hold programs, code that is no
  ///   whole number of instructions, and a reference to a map that is not there.
  public func bytes() throws(MoontraceError) -> [UInt8] {
    try check()
    var writer = ELFWriter()
    writer.add("license", .data, Array("GPL\0".utf8))
    writer.add(".BTF", .information, ObjectTypes(maps: maps).blob())
    if !maps.isEmpty { addMaps(&writer) }
    for section in sections() { add(section, &writer) }
    return writer.bytes()
  }

  private func addMaps(_ writer: inout ELFWriter) {
    let size = ObjectTypes.definitionSize
    let section = writer.add(".maps", .data, [UInt8](repeating: 0, count: size * maps.count))
    for (index, map) in maps.enumerated() {
      writer.add(ELFWriter.Symbol(name: map.name, kind: .object, section: section, offset: index * size, size: size))
    }
  }

  /// The sections of programs with what stands in them, in the order of first mention.
  private func sections() -> [(name: String, programs: [Program])] {
    var sections: [(name: String, programs: [Program])] = []
    for program in programs {
      if let index = sections.firstIndex(where: { $0.name == program.section }) {
        sections[index].programs.append(program)
      } else {
        sections.append((program.section, [program]))
      }
    }
    return sections
  }

  private func add(_ section: (name: String, programs: [Program]), _ writer: inout ELFWriter) {
    let number = writer.add(section.name, .code, section.programs.flatMap(\.code))
    var offset = 0
    for program in section.programs {
      writer.add(
        ELFWriter.Symbol(
          name: program.name, kind: .function, section: number, offset: offset, size: program.code.count))
      for (instruction, map) in program.maps.sorted(by: { $0.key < $1.key }) {
        writer.relocate(section: number, offset: offset + instruction * 8, to: map)
      }
      offset += program.code.count
    }
  }
}

// What is refused, because libbpf would take it for something else or not at all.
extension ObjectImage {
  private func check() throws(MoontraceError) {
    var names: Set<String> = []
    for name in programs.map(\.name) + maps.map(\.name) {
      guard Self.isText(name) else { throw refused("a program or map has no name") }
      guard names.insert(name).inserted else { throw refused("two programs or maps are called '\(name)'") }
    }
    for program in programs { try check(program) }
  }

  private func check(_ program: Program) throws(MoontraceError) {
    let subject = "program '\(program.name)'"
    guard Self.isText(program.section), !Self.isReserved(program.section) else {
      throw refused("\(subject): a section '\(program.section)' can't hold programs")
    }
    guard !program.code.isEmpty, program.code.count % 8 == 0 else {
      throw refused("\(subject): its code has \(program.code.count) bytes; instructions have 8 each")
    }
    for (instruction, map) in program.maps {
      guard maps.contains(where: { $0.name == map }) else { throw refused("\(subject): there is no map '\(map)'") }
      guard (0..<program.code.count / 8 - 1).contains(instruction), program.code[instruction * 8] == 0x18 else {
        throw refused("\(subject): instruction \(instruction) can't load a map: it is no ld_imm64")
      }
    }
  }

  private func refused(_ message: String) -> MoontraceError {
    MoontraceError(.usage, "BPF object: \(message)")
  }

  private static func isText(_ text: String) -> Bool {
    !text.isEmpty && !text.utf8.contains(0)
  }

  /// Sections whose names mean something else to libbpf (`bpf_object__elf_collect` in libbpf.c).
  private static func isReserved(_ section: String) -> Bool {
    section.hasPrefix(".") || ["license", "version", "maps"].contains(section)
  }
}
