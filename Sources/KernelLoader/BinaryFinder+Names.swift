import Glibc
import Support

extension BinaryFinder {
  /// How the binary part of a SPEC that is being typed may go on, for completion: what `path(of:)` finds. With a slash,
  /// directories (with a slash behind) and programs and libraries by path; else by name, programs on PATH and libraries,
  /// as `libc`; those with their version (`libc.so.6`) once `.so` has been typed.
  public static func names(startingWith start: String) -> [String] {
    if start.contains("/") { return pathsStarting(with: start, where: isELF) }
    return Set(programs(startingWith: start) + libraries(startingWith: start)).sorted()
  }

  private static func programs(startingWith start: String) -> [String] {
    searchPath.flatMap { directory in
      directoryEntries(directory).filter { name in
        name.hasPrefix(start) && access("\(directory)/\(name)", X_OK) == 0 && isELF("\(directory)/\(name)")
      }
    }
  }

  private static func libraries(startingWith start: String) -> [String] {
    let files = cachedLibraries().map { String(fileName($0)) }
    let names = files.compactMap { file in file.firstRange(of: ".so").map { String(file[..<$0.lowerBound]) } }
    return (start.contains(".so") ? files : names).filter { $0.hasPrefix(start) }
  }

  /// Whether a file begins as programs and libraries do; scripts and others have no symbols to attach to.
  private static func isELF(_ path: String) -> Bool {
    guard isFile(path) else { return false }
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return false }
    defer { close(file) }
    var magic: [UInt8] = [0, 0, 0, 0]
    return read(file, &magic, magic.count) == magic.count && magic == [0x7f] + Array("ELF".utf8)
  }
}
