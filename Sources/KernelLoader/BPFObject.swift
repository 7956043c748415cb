import BPFAssembly
import BTF
import CLibbpf
import Support

/// A compiled BPF object (`.bpf.o`): opened, configured, loaded into the kernel, closed.
///
/// ```swift
/// let object = try BPFObject(bytes: readFile("open.bpf.o"), name: "open.bpf.o")
/// try object.global("target_pid")?.write(pid)
/// try object.load()
/// let link = try object.program("on_open")?.attach()
/// ```
///
/// Closing it, or letting go of it, detaches all of its links and frees what the kernel holds for it. Use it from one
/// thread at a time.
public final class BPFObject {
  public let name: String
  public let programs: [BPFProgram]
  /// The maps that the source declares, in its order.
  public let maps: [BPFMap]
  /// The maps that libbpf makes for sections of globals.
  public let internalMaps: [BPFMap]
  /// Global variables of `.rodata`, `.data` and `.bss`; file-local ones (`static`) are not among them.
  public let globals: [GlobalVariable]
  /// The object's own types.
  public let types: TypeGraph
  /// What helps where the kernel has no types, if the one who opened the object knows better than `BTF_FILE_PATH`.
  public var remedyWithoutTypes: String?
  /// The file with the kernel's types that was given for it.
  let kernelTypes: String?
  let image: ELFImage
  let handle: ObjectHandle
  /// One counter for each program that sends events; nil on kernels that can't share one (before 5.5).
  var losses: MappedValue?

  /// Opens an object from its bytes; nothing reaches the kernel yet.
  ///
  /// - Parameters:
  ///   - name: what errors call it: the file's name.
  ///   - kernelTypes: a file with the BTF of the running kernel, for kernels that have none; nil for the kernel's own.
  /// - Throws: `.scriptFailed` when the bytes are not ELF, are truncated, for another machine or byte order, have no
  ///   BTF, or hold definitions that libbpf refuses.
  public init(bytes: [UInt8], name: String, kernelTypes: String? = nil) throws(MoontraceError) {
    self.kernelTypes = kernelTypes
    image = try BPFObject.checkedImage(bytes, name: name)
    handle = try BPFObject.open(image.withOperationsAsOlderLibraries(), name: name, kernelTypes: kernelTypes)
    types = try BPFObject.openTypes(handle)
    let places = ProgramPlace.all(in: image)
    let allMaps = BPFObject.children(handle, bpf_object__next_map).map { [handle, types] in
      BPFMap(pointer: $0, handle: handle, types: types)
    }
    self.name = name
    programs = BPFObject.children(handle, { bpf_object__next_program($0, $1) }).map { [handle] in
      BPFProgram(pointer: $0, handle: handle, places: places)
    }
    maps = allMaps.filter { !$0.isInternal }
    internalMaps = allMaps.filter(\.isInternal)
    globals = try BPFObject.globals(types, internalMaps, handle)
  }

  /// Detaches all links and unloads everything; using the object's parts afterwards is an error, not a crash.
  public func close() {
    handle.close()
    losses = nil
  }

  deinit {
    close()
  }

  public var isLoaded: Bool { handle.isLoaded && handle.pointer != nil }

  /// The program of that name.
  public func program(_ name: String) -> BPFProgram? {
    programs.first { $0.name == name }
  }

  /// The declared map of that name.
  public func map(_ name: String) -> BPFMap? {
    maps.first { $0.name == name }
  }

  /// The type that a map's definition gives its values (of a buffer: its events), among `types`; nil when it gives none.
  public func valueType(of map: BPFMap) -> TypeID? {
    let type = handle.pointer == nil ? 0 : bpf_map__btf_value_type_id(map.pointer)
    return type == 0 ? nil : type
  }

  /// The global variable of that name.
  public func global(_ name: String) -> GlobalVariable? {
    globals.first { $0.name == name }
  }

  /// Sets the size of every ring buffer, in bytes, rounded up to a size the kernel takes. Before the load only.
  public func setRingSize(_ bytes: Int) throws(MoontraceError) {
    for map in maps where map.type == .ringBuffer { try map.setMaxEntries(bytes) }
  }

  /// Whether some events that this object fails to send are not counted: those that a subprogram (a function that is
  /// not inlined) sends, those of programs too long to instrument, and all on kernels before 5.5.
  public var hasUncountedLosses: Bool {
    sendsFromSubprograms || programs.contains { $0.uncountedOutputs > 0 }
  }

  private var sendsFromSubprograms: Bool {
    guard let text = image.section(".text") else { return false }
    return !LossInstrumentation.outputCalls(in: Instruction.array(image.contents(text))).isEmpty
  }
}

// How an object is opened.
extension BPFObject {
  private static func checkedImage(_ bytes: [UInt8], name: String) throws(MoontraceError) -> ELFImage {
    let image = try ELFImage(bytes: bytes, name: name)
    guard image.machine == ELFImage.machineBPF else {
      throw MoontraceError(
        .scriptFailed, "\(name): an ELF file for another machine (number \(image.machine)), not for BPF",
        remedy: "give an object that clang -target bpf made")
    }
    guard image.type == 1 else {
      throw MoontraceError(.scriptFailed, "\(name): not a relocatable object", remedy: "compile with clang -c")
    }
    guard let types = image.section(".BTF") else {
      throw MoontraceError(.scriptFailed, "\(name): has no BTF type information", remedy: "compile with clang -g")
    }
    try TypeSanity.check(image.contents(types), name: name)
    return image
  }

  private static func open(
    _ bytes: [UInt8], name: String, kernelTypes: String?
  ) throws(MoontraceError) -> ObjectHandle {
    let stem = name.split(separator: "/").last?.split(separator: ".").first.map(String.init) ?? "object"
    do throws(KernelFailure) {
      let pointer = try checkLibbpf { openInMemory(bytes, stem: stem, kernelTypes: kernelTypes) }
      return ObjectHandle(name: name, pointer: pointer)
    } catch {
      let cause = error.lines.first.map(LibbpfMessage.text) ?? error.text
      throw MoontraceError(.scriptFailed, "\(name): \(cause)", detail: error.detail)
    }
  }

  private static func openInMemory(_ bytes: [UInt8], stem: String, kernelTypes: String?) -> OpaquePointer? {
    stem.withCString { text in
      (kernelTypes ?? "").withCString { path in
        var options = bpf_object_open_opts()
        options.sz = optionsSize(upTo: \bpf_object_open_opts.btf_custom_path)
        options.object_name = text
        options.btf_custom_path = kernelTypes == nil ? nil : path
        return bytes.withUnsafeBytes { bpf_object__open_mem($0.baseAddress, $0.count, &options) }
      }
    }
  }

  /// libbpf's copy of the BTF: it has filled in the offsets of globals, which compilers leave zero.
  private static func openTypes(_ handle: ObjectHandle) throws(MoontraceError) -> TypeGraph {
    var size: UInt32 = 0
    guard let btf = bpf_object__btf(handle.pointer), let data = btf__raw_data(btf, &size) else {
      throw MoontraceError(.scriptFailed, "\(handle.name): its BTF can't be read", remedy: "compile with clang -g")
    }
    return try TypeGraph(blob: Array(UnsafeRawBufferPointer(start: data, count: Int(size))), name: handle.name)
  }

  /// The programs or maps of an object, by libbpf's way of walking them.
  private static func children(
    _ handle: ObjectHandle, _ next: (OpaquePointer?, OpaquePointer?) -> OpaquePointer?
  ) -> [OpaquePointer] {
    var all: [OpaquePointer] = []
    while let child = next(handle.pointer, all.last) { all.append(child) }
    return all
  }

  private static func globals(
    _ types: TypeGraph, _ maps: [BPFMap], _ handle: ObjectHandle
  ) throws(MoontraceError) -> [GlobalVariable] {
    var globals: [GlobalVariable] = []
    for section in try types.dataSections where isOfGlobals(section.name) {
      // libbpf names the map `object.section`, cut to 15 characters, or by the section alone.
      guard let map = maps.first(where: { $0.name == section.name || $0.name.hasSuffix(section.name.prefix(15)) })
      else { continue }
      let data = GlobalSection(name: section.name, handle: handle, map: map.pointer)
      for variable in section.variables where variable.linkage == .global {
        globals.append(
          GlobalVariable(
            name: variable.name, section: section.name, layout: try types.layout(of: variable.type),
            offset: variable.offset, size: variable.size, typeName: types.spelling(of: variable.type), data: data))
      }
    }
    return globals
  }

  private static func isOfGlobals(_ section: String) -> Bool {
    [".rodata", ".data", ".bss"].contains { section == $0 || section.hasPrefix($0 + ".") }
  }
}
