import BPFAssembly
import KernelLoader
import Packages
import Support

extension ObjectDescription {
  /// Opens a program, and looks at all of it.
  init(_ source: ProgramSource, name: String) throws(MoontraceError) {
    let opened = try source.open()
    let (object, meta) = (opened.object, opened.meta)
    let documentation = meta?.skeleton.documentation
    file = FileDescription(source.bytes, name: source.name, kind: source.kind)
    self.object = opened.image.map { FileDescription($0, name: source.name, kind: "BPF object") }
    summary = (documentation?.brief ?? documentation?.description).map(Self.oneLine)
    version = documentation?.version
    license = object.license
    programs = try ProgramInspection(object, meta).programs()
    subprogramHelpers = object.subprogramHelperIDs.map(Helper.name)
    maps = object.maps.map { MapDescription($0, of: object, meta) }
    options = try ProgramOptions(object, meta, name: name).described
    events = try EventInspection(object, meta).events()
    types = try Types(object, archivedKernels: opened.archivedKernels)
    notes = opened.notes
  }

  private static func oneLine(_ text: String) -> String {
    text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }
}

extension ObjectDescription.Types {
  fileprivate init(_ object: BPFObject, archivedKernels: [String]) throws(MoontraceError) {
    let relocations = try object.fieldRelocations()
    size = object.typesSize
    relocationCount = relocations?.count ?? 0
    // `struct task_struct___old` is libbpf's way to write another version of the same type.
    let names = (relocations?.types ?? []).map { id in
      let name = object.types.spelling(of: id)
      return name.firstRange(of: "___").map { String(name[..<$0.lowerBound]) } ?? name
    }
    kernelTypes = Set(names).sorted()
    registers = object.registerArchitecture
    self.archivedKernels = archivedKernels
  }
}

extension MapDescription {
  fileprivate init(_ map: BPFMap, of object: BPFObject, _ meta: PackageMeta?) {
    let sample = meta?.skeleton.maps.first { $0.name == map.name }?.sample
    self.init(
      name: map.name, type: "\(map.type)", keySize: map.shape == .ringBuffer ? 0 : map.keySize,
      valueSize: map.valueSize, maxEntries: map.maxEntries == 0 ? nil : map.maxEntries, flags: map.flags,
      key: object.keyType(of: map).map(object.types.spelling),
      value: object.valueType(of: map).map(object.types.spelling),
      sample: sample.map { "\($0.form.rawValue) each \($0.milliseconds) ms\($0.clears ? ", then emptied" : "")" })
  }
}

extension Helper {
  /// The C name of a helper by its number, or what stands for one that is not known here.
  static func name(_ number: Int32) -> String { Helper(rawValue: number)?.name ?? "helper \(number)" }
}
