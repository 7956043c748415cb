import BTF
import Glibc
import KernelLoader
import Packages
import Support

/// The kernel's types from elsewhere, for a kernel that does not tell its own: a file that stays as long as this lives.
final class ForeignTypes {
  let path: String
  /// Of a file that has no name.
  private let descriptor: OwnedDescriptor?

  private init(path: String, descriptor: consuming OwnedDescriptor?) {
    self.path = path
    self.descriptor = descriptor
  }

  /// nil where the kernel's own serve, or nothing else is known: `BTF_FILE_PATH`, then the archive that came with the
  /// program.
  ///
  /// - Parameter name: what errors call the archive.
  /// - Throws: `.scriptFailed` when the archive's types are malformed.
  static func find(_ archive: TarPackage?, name: String) throws(MoontraceError) -> ForeignTypes? {
    guard access(KernelTypes.path, R_OK) != 0 else { return nil }
    if let path = KernelTypes.foreignPath { return ForeignTypes(path: path, descriptor: nil) }
    let system = thisSystem()
    guard let bytes = archive?.types(for: system) else { return nil }
    _ = try TypeGraph(blob: bytes, name: "\(name)(\(system.archivePath))")
    do throws(SystemError) {
      var template = Array("/tmp/moontrace-types-XXXXXX".utf8CString)
      let file = OwnedDescriptor(try check("make a temporary file") { mkstemp(&template) })
      _ = fcntl(file.number, F_SETFD, FD_CLOEXEC)
      unlink(&template)
      try writeAll(file.number, bytes, name: "a temporary file")
      let path = "/proc/self/fd/\(file.number)"
      return ForeignTypes(path: path, descriptor: file)
    } catch {
      throw MoontraceError(.scriptFailed, "the kernel's types from the archive: \(error)")
    }
  }

  /// What to do when an archive has not the types that are needed: which ones those are, and which it has.
  static func remedy(_ archive: TarPackage) -> String {
    let kernels = archive.kernels.map(\.system.archivePath)
    let more = kernels.count > 3 ? " and \(kernels.count - 3) more" : ""
    return "the archive has no \(thisSystem().archivePath), but "
      + (kernels.isEmpty ? "types of no kernel" : kernels.prefix(3).joined(separator: ", ") + more)
      + "; name a file with this kernel's types in BTF_FILE_PATH, or build the archive with them (moontrace build --btf)"
  }

  private static func thisSystem() -> SystemIdentity {
    var system = utsname()
    uname(&system)
    func text(_ bytes: UnsafeRawBufferPointer) -> String { String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }
    let release = (try? readFile("/etc/os-release")) ?? []
    return SystemIdentity(
      osRelease: String(decoding: release, as: UTF8.self), architecture: withUnsafeBytes(of: system.machine, text),
      release: withUnsafeBytes(of: system.release, text))
  }
}
