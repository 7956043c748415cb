import Glibc
import KernelLoader
import Packages
import Support

/// A program written in C as a TARGET names it: what was read, not yet understood.
struct ProgramSource: Sendable {
  private enum Form: Sendable {
    /// An ELF file that clang made.
    case object
    /// C text.
    case text
    case package(DataFormat)
    /// What stands beside an object.
    case skeleton(DataFormat)
    case archive
  }

  /// A program whose object is open.
  struct Opened {
    var object: BPFObject
    /// What its package says of it.
    var meta: PackageMeta?
    /// The kernel's types from elsewhere; needed until the object is loaded.
    var types: ForeignTypes?
    /// What clang warns of, and what is suspicious in the program's comments.
    var notes: [String] = []
    /// The bytes of the object, where they are not the file's own.
    var image: [UInt8]?
    /// The kernels whose types the archive brings along: `ubuntu/20.04/x86_64/5.4.0-90-generic`.
    var archivedKernels: [String] = []
  }

  /// What stands in the file.
  let bytes: [UInt8]
  private let form: Form
  /// The path; what errors call it.
  let name: String

  /// nil for what is no such program, judged by the name's end and what stands in it.
  init?(_ bytes: [UInt8], name: String) {
    self.bytes = bytes
    self.name = name
    // What is called an object and is none is told so, not that it is no Lua.
    if name.hasSuffix(".o") {
      form = .object
      return
    }
    switch PackageFormat.of(bytes, name: name) {
    case .elf: form = .object
    case .c: form = .text
    case .package(let format): form = .package(format)
    case .skeleton(let format): form = .skeleton(format)
    case .tar: form = .archive
    case .lua, nil:
      guard Self.isPackageName(name) else { return nil }
      form = name.hasSuffix(".tar") ? .archive : .package(name.hasSuffix(".json") ? .json : .yaml)
    }
  }

  /// What a script says is an object.
  init(object bytes: [UInt8], name: String) {
    self.bytes = bytes
    self.name = name
    form = .object
  }

  /// Whether a name without a directory is a file's, not a recipe's.
  static func isName(_ name: String) -> Bool {
    name.hasSuffix(".o") || name.hasSuffix(".c") || isPackageName(name)
  }

  private static func isPackageName(_ name: String) -> Bool {
    [".json", ".yaml", ".yml", ".tar"].contains(where: name.hasSuffix)
  }

  /// What it is, for people.
  var kind: String {
    switch form {
    case .object: "BPF object"
    case .text: "C program"
    case .package(let format): "package (\(format.rawValue.uppercased()))"
    case .skeleton(let format): "skeleton (\(format.rawValue.uppercased()))"
    case .archive: "package (tar)"
    }
  }

  // MARK: Reading

  /// Opens the object.
  ///
  /// - Throws: `.scriptFailed` for what is malformed; clang's errors; `.usage` for a skeleton without its object.
  func open() throws(MoontraceError) -> Opened {
    switch form {
    case .object: return try open(bytes, try skeletonBeside())
    case .text:
      let built = try ProgramBuilder().build(name)
      var opened = try open(built.package.object, built.package.meta)
      opened.notes = built.notes
      return opened
    case .package(let format):
      let package = try Package(bytes, format, name: name)
      return try open(package.object, package.meta)
    case .skeleton(let format):
      return try open(try objectBeside(), try PackageMeta(bytes, format, name: name))
    case .archive:
      let archive = try TarPackage(bytes, name: name)
      let types = try ForeignTypes.find(archive, name: name)
      var opened = try open(archive.package.object, archive.package.meta, types)
      opened.object.remedyWithoutTypes = ForeignTypes.remedy(archive)
      opened.archivedKernels = archive.kernels.map { kernel in
        let system = kernel.system
        return "\(system.distribution)/\(system.version)/\(system.architecture)/\(system.release)"
      }
      return opened
    }
  }

  private func open(
    _ object: [UInt8], _ meta: PackageMeta?, _ types: ForeignTypes? = nil
  ) throws(MoontraceError) -> Opened {
    let types = if let types { types } else { try ForeignTypes.find(nil, name: name) }
    var opened = Opened(
      object: try BPFObject(bytes: object, name: name, kernelTypes: types?.path), meta: meta, types: types)
    opened.image = object == bytes ? nil : object
    return opened
  }

  // MARK: Files beside each other

  /// What `ecc` and `moontrace build` write beside an object: `x.skel.json` of `x.bpf.o`.
  private func skeletonBeside() throws(MoontraceError) -> PackageMeta? {
    for format in DataFormat.allCases {
      let path = "\(stem).skel.\(format.rawValue)"
      if let bytes = try? readFile(path) { return try PackageMeta(bytes, format, name: path) }
    }
    return nil
  }

  private func objectBeside() throws(MoontraceError) -> [UInt8] {
    let paths = [".bpf.o", ".o"].map { stem + $0 }
    for path in paths { if let bytes = try? readFile(path) { return bytes } }
    throw MoontraceError(
      .usage, "\(name): its object is not beside it: there is no \(paths[0])", remedy: "run the object, or a package")
  }

  /// The path without what says what it is.
  private var stem: String {
    let ends = [".bpf.o", ".o", ".skel.json", ".skel.yaml", ".json", ".yaml", ".yml"]
    return ends.first(where: name.hasSuffix).map { String(name.dropLast($0.count)) } ?? name
  }
}
