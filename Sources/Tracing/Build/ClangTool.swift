import Glibc
import Support

/// The clang that compiles programs in C.
struct ClangTool {
  let path: String

  /// `$MOONTRACE_CLANG`, else the first `clang` on PATH that knows the bpf target.
  ///
  /// - Parameter cache: remembers which ones do, so that they need not be asked again.
  /// - Throws: `.unsupported` when there is none.
  static func find(_ cache: Cache? = nil) throws(MoontraceError) -> ClangTool {
    if let chosen = environment("MOONTRACE_CLANG") {
      let tool = ClangTool(path: chosen)
      guard tool.hasBPFTarget(cache) else {
        throw MoontraceError(
          .unsupported, "MOONTRACE_CLANG=\(chosen) is no clang with the bpf target", remedy: "name one that has it")
      }
      return tool
    }
    for directory in (environment("PATH") ?? "/usr/bin:/bin").split(separator: ":") {
      let tool = ClangTool(path: "\(directory)/clang")
      if access(tool.path, X_OK) == 0, tool.hasBPFTarget(cache) { return tool }
    }
    throw MoontraceError(
      .unsupported, "compiling C needs clang with the bpf target, and none is on PATH",
      remedy: "apt install clang, or set MOONTRACE_CLANG")
  }

  /// What changes when another version is installed in its place: path, size and time of change.
  var identity: String {
    var about = stat()
    guard stat(path, &about) == 0 else { return path }
    return "\(path) \(about.st_size) \(about.st_mtim.tv_sec).\(about.st_mtim.tv_nsec) \(about.st_ino)"
  }

  private func hasBPFTarget(_ cache: Cache?) -> Bool {
    let note = "clang/\(fingerprint(Array(identity.utf8)))"
    if let cache, let known = try? readFile(cache.path(note)), known.elementsEqual(identity.utf8) { return true }
    guard asksForTargets() else { return false }
    // It is asked again next time when this can't be written.
    try? cache?.makeDirectory("clang")
    try? cache?.write(note, Array(identity.utf8))
    return true
  }

  private func asksForTargets() -> Bool {
    do throws(SystemError) {
      var pipe = try Pipe()
      let child = try Subprocess(path, ["-print-targets"], descriptors: [1: pipe.writing, 2: pipe.writing])
      pipe.closeWriting()
      let targets = try readAll(pipe.reading, name: "clang -print-targets")
      guard try child.wait() == 0 else { return false }
      return String(decoding: targets, as: UTF8.self).contains(" bpfel ")
    } catch {
      return false
    }
  }

  /// Runs it to its end; what it said on both of its outputs.
  func run(_ arguments: [String]) throws(MoontraceError) -> (succeeded: Bool, output: [UInt8]) {
    do throws(SystemError) {
      var pipe = try Pipe()
      let child = try Subprocess(path, arguments, descriptors: [1: pipe.writing, 2: pipe.writing])
      pipe.closeWriting()
      let output = try readAll(pipe.reading, name: path)
      return (try child.wait() == 0, output)
    } catch {
      throw MoontraceError(.scriptFailed, "\(path): \(error)")
    }
  }
}

/// clang's first error in what it said, with all of it as the detail.
///
/// - Parameter name: what the text is called that did not compile.
func clangFailure(_ log: String, name: String) -> MoontraceError {
  let lines = log.split(separator: "\n")
  guard let first = lines.first(where: { $0.contains("error: ") }),
    let range = first.firstRange(of: ": error: ") ?? first.firstRange(of: "error: ")
  else {
    return MoontraceError(.scriptFailed, "\(name): clang failed and said nothing of why", detail: log)
  }
  let parts = first[..<range.lowerBound].split(separator: ":")
  let location = parts.count >= 2 ? "\(parts[0]):\(parts[1])" : name
  return MoontraceError(.scriptFailed, "C error: \(first[range.upperBound...])", location: location, detail: log)
}
