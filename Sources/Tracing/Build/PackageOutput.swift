import Glibc
import Packages
import Support

/// The files that `moontrace build` writes.
///
/// ```swift
/// let written = try PackageOutput(result, to: "out/").write()
/// ```
public struct PackageOutput {
  /// Where they go, from what the user says.
  private enum Place {
    /// All files.
    case directory(String)
    /// One file; its ending says what it is.
    case package(String, DataFormat)
    case skeleton(String, DataFormat)
    case archive(String)
    case object(String)
  }

  private let result: ProgramBuilder.Result
  private let place: Place
  private let format: DataFormat
  private let kernels: [ArchivedTypes]
  private let isArchive: Bool

  /// - Parameters:
  ///   - path: a directory, which is made when the path ends with `/`, or a file; nil for the program's own directory.
  ///   - source: the program's path.
  ///   - archive: the BTF for an archive (`--tar`); nil for none.
  /// - Throws: `.usage` when a file's ending says nothing, or does not go with the other options.
  public init(
    _ result: ProgramBuilder.Result, to path: String?, source: String, isYAML: Bool, archive: KernelArchive?
  ) throws(MoontraceError) {
    self.result = result
    format = isYAML ? .yaml : .json
    isArchive = archive != nil
    kernels = archive?.kernels ?? []
    place =
      try path.map { path throws(MoontraceError) in try Self.place(path, isArchive: archive != nil) }
      ?? .directory(Self.directory(of: source))
  }

  private static func directory(of source: String) -> String {
    source.lastIndex(of: "/").map { String(source[...$0]) } ?? "./"
  }

  private static func place(_ path: String, isArchive: Bool) throws(MoontraceError) -> Place {
    var about = stat()
    let isDirectory = stat(path, &about) == 0 && about.st_mode & S_IFMT == S_IFDIR
    if isDirectory || path.hasSuffix("/") { return .directory(path.hasSuffix("/") ? path : path + "/") }
    guard let place = file(path) else {
      throw MoontraceError(
        .usage, "--output '\(path)': its ending says not what to write",
        remedy: "end it with .json, .yaml, .tar or .o, or with / for a directory")
    }
    if isArchive, case .archive = place { return place }
    if isArchive {
      throw MoontraceError(.usage, "--output '\(path)': --tar writes an archive", remedy: "end it with .tar")
    }
    return place
  }

  /// What a file's ending says it is.
  private static func file(_ path: String) -> Place? {
    switch path.split(separator: "/").last?.split(separator: ".").last {
    case "json": path.hasSuffix(".skel.json") ? .skeleton(path, .json) : .package(path, .json)
    case "yaml", "yml": path.contains(".skel.y") ? .skeleton(path, .yaml) : .package(path, .yaml)
    case "tar": .archive(path)
    case "o": .object(path)
    default: nil
    }
  }

  /// Writes them; their paths.
  ///
  /// - Throws: `.usage` when one can't be written, those before it being written.
  public func write() throws(MoontraceError) -> [String] {
    let files = try self.files()
    if case .directory(let directory) = place, mkdir(directory, 0o777) != 0, errno != EEXIST {
      throw MoontraceError(.usage, "can't make '\(directory)': \(errnoText(errno))")
    }
    for file in files { try ReservedFile(file.path).writeNow(file.bytes) }
    return files.map { $0.path.hasPrefix("./") ? String($0.path.dropFirst(2)) : $0.path }
  }

  private func files() throws(MoontraceError) -> [(path: String, bytes: [UInt8])] {
    let package = result.package
    switch place {
    case .package(let path, let format): return [(path, package.bytes(format))]
    case .skeleton(let path, let format): return [(path, package.meta.bytes(format))]
    case .object(let path): return [(path, package.object)]
    case .archive(let path): return [(path, try archive())]
    case .directory(let directory):
      let files = [
        ("\(directory)\(result.name).bpf.o", package.object),
        ("\(directory)\(result.name).skel.\(format.rawValue)", package.meta.bytes(format)),
        ("\(directory)package.\(format.rawValue)", package.bytes(format)),
      ]
      return isArchive ? files + [("\(directory)\(result.name).tar", try archive())] : files
    }
  }

  private func archive() throws(MoontraceError) -> [UInt8] {
    try TarPackage(package: result.package, kernels: kernels).bytes()
  }
}

extension ReservedFile {
  fileprivate func writeNow(_ bytes: [UInt8]) throws(MoontraceError) {
    do throws(SystemError) {
      try write(bytes)
    } catch {
      throw MoontraceError(.usage, "can't write '\(path)': \(errnoText(error.errno))")
    }
  }
}
