import BTF
import KernelLoader
import Packages
import Support

/// Writes down what a compiled program is: its variables, maps, programs and event types, and what its comments say of them.
struct MetaBuilder {
  private let object: BPFObject
  private let options: BuildOptions
  private let objectName: String
  private var annotations: ObjectAnnotations
  private var events: EventTypeChoice

  /// - Parameter name: the program's name, without endings.
  init(_ program: CompiledProgram, name: String, _ options: BuildOptions) throws(MoontraceError) {
    object = try BPFObject(bytes: program.object, name: "\(name).bpf.o")
    self.options = options
    objectName = Self.identifier(name) + "_bpf"
    annotations = ObjectAnnotations(SourceAnnotations(program.ownFiles))
    events = EventTypeChoice(object.types, program, annotations, options)
  }

  /// As bpftool makes a name for C of a file's.
  private static func identifier(_ name: String) -> String {
    String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
  }

  /// What is suspicious in the comments, and buffers whose events' type was not found.
  var warnings: [MoontraceError] { annotations.warnings + events.warnings }

  mutating func build() throws(MoontraceError) -> PackageMeta {
    var skeleton = Skeleton(objectName: objectName)
    skeleton.sections = try sections()
    let buffers = object.maps.filter { $0.shape == .ringBuffer || $0.shape == .perfEventArray }
    try events.checkNames(of: buffers.map(\.name))
    for map in object.maps { skeleton.maps.append(try packaged(map)) }
    skeleton.maps += object.internalMaps.map(packagedSection)
    for program in object.programs {
      let packaged = PackagedProgram(name: program.name, section: program.section)
      skeleton.programs.append(try annotations.apply(to: packaged, misfit: program.misfit))
    }
    skeleton.documentation = try annotations.documentation(license: licenseName)
    annotations.finish()
    var meta = PackageMeta(skeleton: skeleton)
    meta.exportTypes = try events.exportedTypes()
    // One type for all is one with members.
    meta.exportsEachMap =
      buffers.count > 1 || skeleton.maps.contains { if case .members = $0.export { true } else { false } }
    meta.toolVersion = options.toolVersion
    return meta
  }

  /// The variable in the section `license`.
  private var licenseName: String? {
    (try? object.types.dataSections)?.first { $0.name == "license" }?.variables.first?.name
  }

  private mutating func sections() throws(MoontraceError) -> [Packages.DataSection] {
    var sections: [Packages.DataSection] = []
    for global in object.globals {
      if sections.last?.name != global.section { sections.append(.init(name: global.section)) }
      var variable = PackagedVariable(name: global.name, type: global.packagedType)
      variable.value = try global.initialValue()
      sections[sections.count - 1].variables.append(try annotations.apply(to: variable))
    }
    return sections
  }

  private mutating func packaged(_ map: BPFMap) throws(MoontraceError) -> PackagedMap {
    var made = try annotations.apply(to: PackagedMap(name: map.name, identifier: map.name))
    guard map.shape == .ringBuffer || map.shape == .perfEventArray else { return made }
    let declared = object.declaredEvent(of: map)
    if let type = try events.choose(for: map.name, declared: declared), made.export == .none {
      made.export =
        events.isRecord(type)
        ? .type(type) : .members([ExportedMember(name: RecordTypes.plainName, offset: 0, typeID: type)])
    }
    return made
  }

  /// A section of variables: libbpf calls its map by the object's name, cut to eight characters, and the section's.
  private func packagedSection(_ map: BPFMap) -> PackagedMap {
    let section = String(map.name.drop { $0 != "." })
    let name = map.name.hasPrefix(".") ? map.name : String(objectName.prefix(8)) + section
    var made = PackagedMap(name: name, identifier: String(section.dropFirst()).replacing(".", with: "_"))
    // Constants without names (`.rodata.str1.1`) are no variables.
    made.isMapped = object.globals.contains { $0.section == section }
    return made
  }
}
