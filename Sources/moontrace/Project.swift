import Glibc
import Support
import Tracing

/// A project that `moontrace new` makes, from lua-lib/templates/.
struct Project {
  enum Kind: String {
    case lua
    case c
  }

  /// Stands in templates, their names included, where the project's name shall be.
  private static let placeholder = "mytool"

  let name: String
  let kind: Kind

  private struct File {
    var path: String
    var text: String
    /// What the user runs, as against what is read.
    var mode: mode_t { path.hasSuffix(".sh") || path.hasSuffix(".lua") && !path.hasPrefix(".") ? 0o755 : 0o644 }
  }

  /// The library's modules, with the definitions of the script API among them, are in the project itself, so that editors
  /// find them wherever it is cloned to.
  private var files: [File] {
    let definitions = Library.files(below: "moontrace/").map {
      File(path: ".moontrace/\($0.path)", text: String(decoding: $0.bytes, as: UTF8.self))
    }
    return templates("common") + templates(kind.rawValue) + definitions
  }

  private func templates(_ directory: String) -> [File] {
    let start = "templates/\(directory)/"
    return Library.files(below: start).map { path, bytes in
      let file = String(path.dropFirst(start.count))
      let text = String(decoding: bytes, as: UTF8.self)
      return File(path: named(file.hasPrefix("dot.") ? String(file.dropFirst(3)) : file), text: named(text))
    }
  }

  private func named(_ text: String) -> String { text.replacing(Self.placeholder, with: name) }

  /// Writes the project whole or not at all: beside its place, then moved there.
  ///
  /// - Throws: `.usage` when there is something at the place already, or it can't be written to.
  func write(to directory: String) throws(MoontraceError) {
    var about = stat()
    guard lstat(directory, &about) != 0 else {
      throw MoontraceError(.usage, "new: there is a '\(directory)' already", remedy: "choose another name")
    }
    let temporary = "\(directory).\(getpid()).tmp"
    do throws(SystemError) {
      try writeFiles(to: temporary)
      try check("make \(directory)") { rename(temporary, directory) }
    } catch {
      remove(temporary)
      throw MoontraceError(.usage, "new: can't make '\(directory)': \(errnoText(error.errno))")
    }
  }

  /// Inside a project's directory, the ones below it first.
  private static let directories = [".moontrace", ".moontrace/moontrace"]

  private func writeFiles(to directory: String) throws(SystemError) {
    try check("make \(directory)") { mkdir(directory, 0o777) }
    for inner in Self.directories { try check("make \(inner)") { mkdir("\(directory)/\(inner)", 0o777) } }
    for file in files { try writeFile("\(directory)/\(file.path)", Array(file.text.utf8), mode: file.mode) }
  }

  private func remove(_ directory: String) {
    for file in files { unlink("\(directory)/\(file.path)") }
    for inner in Self.directories.reversed() { rmdir("\(directory)/\(inner)") }
    rmdir(directory)
  }
}
