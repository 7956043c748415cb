import BPFAssembly
import BTF
import CLibbpf
import Support

/// What an object says of itself, without the kernel.
extension BPFObject {
  /// What stands in the section `license`; nil when there is none.
  public var license: String? {
    image.section("license").map { String(decoding: image.contents($0).prefix { $0 != 0 }, as: UTF8.self) }
  }

  /// Bytes of its own types.
  public var typesSize: Int { image.section(".BTF")?.size ?? 0 }

  /// The places that are fitted to the running kernel's types; nil when the object has none of the section.
  ///
  /// - Throws: `.scriptFailed` when `.BTF.ext` is malformed.
  public func fieldRelocations() throws(MoontraceError) -> FieldRelocations? {
    guard let section = image.section(".BTF.ext") else { return nil }
    return try FieldRelocations(extBlob: Array(image.contents(section)), types: types)
  }

  /// Numbers of the kernel helpers that functions which are not inlined call, ascending.
  public var subprogramHelperIDs: [Int32] {
    image.section(".text").map { Instruction.helpers(in: Instruction.array(image.contents($0))) } ?? []
  }

  /// The type that a map's definition gives its keys, among `types`; nil when it gives none.
  public func keyType(of map: BPFMap) -> TypeID? {
    let type = handle.pointer == nil ? 0 : bpf_map__btf_key_type_id(map.pointer)
    return type == 0 ? nil : type
  }
}
