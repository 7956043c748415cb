/// The BTF of an object that is made in this process: how libbpf learns what its maps are.
///
/// A map is a variable in the section `.maps`, of a struct whose members are pointers to arrays: the arrays' lengths are
/// the numbers (`__uint` in bpf_helpers.h). Source of the format: the kernel's Documentation/bpf/btf.rst.
struct ObjectTypes {
  private enum Kind: UInt32 {
    case integer = 1
    case pointer = 2
    case array = 3
    case structure = 4
    case variable = 14
    case section = 15
  }

  private static let attributes = ["type", "key_size", "value_size", "max_entries"]

  /// Bytes of a map's variable: one pointer for each attribute.
  static let definitionSize = attributes.count * 8

  private let maps: [ObjectImage.Map]
  private var texts = TextTable()
  private var types: [UInt8] = []
  private var count: UInt32 = 0

  init(maps: [ObjectImage.Map]) {
    self.maps = maps
  }

  /// `.BTF`: the header, the types and the texts. Always at least one type: the kernel takes none without.
  func blob() -> [UInt8] {
    var copy = self
    copy.addTypes()
    var bytes: [UInt8] = []
    bytes.append(littleEndian: UInt16(0xeb9f))
    bytes += [1, 0]  // version, flags
    let typesLength = UInt32(copy.types.count)
    for word in [24, 0, typesLength, typesLength, UInt32(copy.texts.bytes.count)] { bytes.append(littleEndian: word) }
    return bytes + copy.types + copy.texts.bytes
  }

  private mutating func addTypes() {
    let integer = add(.integer, name: "int", third: 4, words: [0x0100_0020])  // signed, 32 bits
    let variables = maps.map { addMap($0, integer) }
    if maps.isEmpty { return }
    let size = Self.definitionSize
    let entries = variables.enumerated().flatMap { [$1, UInt32($0 * size), UInt32(size)] }
    add(.section, name: ".maps", members: maps.count, third: UInt32(maps.count * size), words: entries)
  }

  /// The struct of a map's definition and its variable; the variable's number.
  private mutating func addMap(_ map: ObjectImage.Map, _ integer: UInt32) -> UInt32 {
    let values = [map.type.rawValue, map.keySize, map.valueSize, map.maxEntries]
    var members: [UInt32] = []
    for (index, (name, value)) in zip(Self.attributes, values).enumerated() {
      let array = add(.array, words: [integer, integer, value])
      let pointer = add(.pointer, third: array)
      members += [texts.add(name), pointer, UInt32(index * 64)]
    }
    let definition = add(
      .structure, members: values.count, third: UInt32(Self.definitionSize), words: members)
    return add(.variable, name: map.name, third: definition, words: [1])  // global
  }

  /// Appends a type; its number. `third` is the header's third word: a size or a type.
  @discardableResult
  private mutating func add(
    _ kind: Kind, name: String? = nil, members: Int = 0, third: UInt32 = 0, words: [UInt32] = []
  ) -> UInt32 {
    let nameOffset = name.map { texts.add($0) } ?? 0
    for word in [nameOffset, kind.rawValue << 24 | UInt32(members), third] + words { types.append(littleEndian: word) }
    count += 1
    return count
  }
}
