import BTF

/// Small files in binary formats, with everything in them that their readers know.
enum BinarySeeds {
  static func words(_ values: [UInt32]) -> [UInt8] {
    values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * $0)) } }
  }

  private static let names = Array("\0int\0event\0pid\0comm\0run\0.data\0./x.bpf.c\0  return 0;\0".utf8)

  private static func info(_ kind: TypeKind, count: Int = 0, flag: Bool = false) -> UInt32 {
    UInt32(kind.rawValue) << 24 | UInt32(count) | (flag ? 1 << 31 : 0)
  }

  /// A type of every kind (linux/btf.h), in a graph that holds together.
  static var btf: [UInt8] {
    let types: [UInt32] = [
      1, info(.integer), 4, 1 << 24 | 32,  // 1: int
      0, info(.pointer), 4,  // 2: to the struct
      0, info(.array), 0, 1, 1, 16,  // 3: int[16]
      5, info(.struct, count: 3), 80, 11, 1, 0, 15, 3, 64, 5, 2, 576,  // 4: struct event
      5, info(.union, count: 2), 8, 11, 1, 0, 15, 2, 0,  // 5
      5, info(.enum, count: 2, flag: true), 4, 11, 0, 15, .max,  // 6
      5, info(.forward), 0,  // 7
      15, info(.typedef), 9,  // 8
      0, info(.volatile), 10,  // 9
      0, info(.const), 11,  // 10
      0, info(.restrict), 2,  // 11
      0, info(.prototype, count: 2), 1, 11, 1, 15, 2,  // 12
      20, info(.function), 12,  // 13
      20, info(.variable), 4, 1,  // 14
      24, info(.dataSection, count: 1), 80, 14, 0, 80,  // 15
      1, info(.float), 8,  // 16
      20, info(.declarationTag), 4, .max,  // 17
      20, info(.typeTag), 1,  // 18
      5, info(.enum64, count: 1), 8, 11, 1, 2,  // 19
      5, info(.struct, count: 2, flag: true), 4, 11, 1, 3 << 24, 15, 1, 5 << 24 | 3,  // 20: bit-fields
    ]
    let body = words(types)
    let header = words([0x0001_eb9f, 24, 0, UInt32(body.count), UInt32(body.count), UInt32(names.count)])
    return header + body + names
  }

  /// Line tables of one section (.BTF.ext).
  static var lines: [UInt8] {
    let records: [UInt32] = [16, 24, 2, 0, 30, 40, 7 << 10 | 3, 8, 30, 40, 8 << 10 | 1]
    return words([0x0001_eb9f, 24, 0, 0, 0, 4 * UInt32(records.count)]) + words(records)
  }

  /// An object with a program's section, its types, a symbol table and names (elf(5)).
  static var elf: [UInt8] {
    let strings = Array("\0.text\0.BTF\0.symtab\0.strtab\0run\0".utf8)
    let symbols = words([0, 0, 0, 0, 0, 0, 28, 0x0001_0012, 0, 0, 8, 0])
    let parts = [[0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0], btf + [0, 0], symbols, strings]
    var offset = 64
    var body: [UInt8] = []
    var headers = [UInt8](repeating: 0, count: 64)
    for (index, part) in parts.enumerated() {
      let padded = part + [UInt8](repeating: 0, count: (8 - part.count % 8) % 8)
      let (name, type, link) = [(1, 1, 0), (7, 1, 0), (12, 2, 4), (20, 3, 0)][index]
      headers += words([
        UInt32(name), UInt32(type), 0, 0, 0, 0, UInt32(offset), 0, UInt32(part.count), 0, UInt32(link), 1, 8, 0,
        type == 2 ? 24 : 0, 0,
      ])
      body += padded
      offset += padded.count
    }
    let identity: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    let header = words([247 << 16 | 1, 1, 0, 0, 0, 0, UInt32(offset), 0, 0, 64, 64 << 16, 4 << 16 | 5])
    return identity + header + body + headers
  }
}
