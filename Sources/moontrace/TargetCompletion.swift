import ArgumentParser
import Glibc
import Tracing

/// What shells offer where a TARGET stands: the recipes by name, and files that can be run; behind it probes, which some
/// recipes take (`funccount t:sched:*`).
enum TargetCompletion {
  static let kind = CompletionKind.custom { words, index, prefix in
    let recipes = ScriptSource.recipeNames()
    if words.prefix(index).contains(where: { recipes.contains($0) || isRunnable($0) }) {
      return ProbeCompletion.offers(for: prefix)
    }
    return (prefix.contains("/") ? [] : recipes.filter { $0.hasPrefix(prefix) }) + files(for: prefix)
  }

  private static func isRunnable(_ file: String) -> Bool {
    [".lua", ".bpf.o"].contains(where: file.hasSuffix)
  }

  /// Scripts, compiled objects and the directories that may hold some; hidden ones only when asked for.
  private static func files(for prefix: String) -> [String] {
    let directory = prefix.lastIndex(of: "/").map { String(prefix[...$0]) } ?? ""
    let start = prefix.dropFirst(directory.count)
    guard let entries = opendir(directory.isEmpty ? "." : directory) else { return [] }
    defer { closedir(entries) }
    var found: [String] = []
    while let entry = readdir(entries) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      guard name.hasPrefix(start), !name.hasPrefix(".") || start.hasPrefix(".") else { continue }
      if isDirectory(directory + name) {
        if name != ".", name != ".." { found.append(directory + name + "/") }
      } else if isRunnable(name) {
        found.append(directory + name)
      }
    }
    return found.sorted()
  }

  private static func isDirectory(_ path: String) -> Bool {
    var about = stat()
    return stat(path, &about) == 0 && about.st_mode & S_IFMT == S_IFDIR
  }
}
