import BTF
import Glibc
import KernelLoader
import Packages
import Support

/// The BTF of kernels that have none of their own, for a package: from files laid out as btfhub's archive is,
/// `ID/VERSION_ID/ARCHITECTURE/RELEASE.btf`.
public struct KernelArchive {
  private(set) var kernels: [ArchivedTypes] = []
  /// Finds the files.
  ///
  /// - Parameter paths: files, and directories that are searched four levels down.
  /// - Throws: `.usage` when one is not there, or is not where its kernel can be told.
  public init(_ paths: [String]) throws(MoontraceError) {
    for path in paths {
      let files = Self.files(path)
      if files.isEmpty {
        throw MoontraceError(
          .usage, "--btf '\(path)': no .btf files there", remedy: "name files, or a directory such as btfhub-archive")
      }
      for file in files { kernels.append(try Self.kernel(file)) }
    }
  }

  private static func files(_ path: String) -> [String] {
    var about = stat()
    guard stat(path, &about) == 0 else { return [] }
    if about.st_mode & S_IFMT != S_IFDIR { return [path] }
    var directories = [path]
    var files: [String] = []
    for _ in 0...4 {
      let entries = directories.flatMap { directory in directoryEntries(directory).map { "\(directory)/\($0)" } }
      files += entries.filter { $0.hasSuffix(".btf") }
      directories = directories.flatMap { directory in
        directoryEntries(directory, directories: true).map { "\(directory)/\($0)" }
      }
    }
    return files
  }

  private static func kernel(_ file: String) throws(MoontraceError) -> ArchivedTypes {
    let parts = absolutePath(file).split(separator: "/").map(String.init)
    guard parts.count >= 4, parts[parts.count - 1].hasSuffix(".btf") else {
      throw MoontraceError(
        .usage, "--btf '\(file)': it can't be told which kernel it is of",
        remedy: "put it at ID/VERSION_ID/ARCHITECTURE/RELEASE.btf, ID and VERSION_ID as in /etc/os-release")
    }
    let names = Array(parts.suffix(4))
    let system = SystemIdentity(
      distribution: names[0], version: names[1], architecture: names[2], release: String(names[3].dropLast(4)))
    do throws(SystemError) {
      return ArchivedTypes(system: system, btf: try readFile(file))
    } catch {
      throw MoontraceError(.usage, "--btf '\(file)': \(errnoText(error.errno))")
    }
  }

  /// Reduces the types to those that a program's relocations need.
  ///
  /// - Throws: `.scriptFailed` when a file is no BTF.
  public mutating func reduce(for result: ProgramBuilder.Result) throws(MoontraceError) {
    let object = try BPFObject(bytes: result.package.object, name: "\(result.name).bpf.o")
    guard let relocations = try object.fieldRelocations() else { return }
    for index in kernels.indices {
      let kernel = try TypeGraph(blob: kernels[index].btf, name: "--btf: \(kernels[index].system.archivePath)")
      kernels[index].btf = kernel.reduced(to: relocations, of: object.types)
    }
  }
}
