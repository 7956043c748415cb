import Glibc

/// The path without symbolic links, `.` and `..`; of a file that does not exist yet: by its directory. nil when the
/// directory does not exist, or for a dangling link, through which a file could be made anywhere.
func resolvedPath(_ path: String) -> String? {
  // Leads to a terminal or a nameless pipe; what is allowed is the name.
  if path == "/dev/stdin" { return path }
  if let real = existingPath(path) { return real }
  var information = stat()
  guard errno == ENOENT, lstat(path, &information) != 0 else { return nil }
  let slash = path.lastIndex(of: "/")
  let name = slash.map { path[path.index(after: $0)...] } ?? path[...]
  guard !["", ".", ".."].contains(name) else { return nil }
  guard let directory = existingPath(slash.map { String(path[...$0]) } ?? ".") else { return nil }
  return directory == "/" ? "/\(name)" : "\(directory)/\(name)"
}

private func existingPath(_ path: String) -> String? {
  guard let real = realpath(path, nil) else { return nil }
  defer { free(real) }
  return String(cString: real)
}

/// Whether a resolved path is `scope` or below it, component by component: `/tmp/a` does not cover `/tmp/ab`.
func isPath(_ path: String, within scope: String) -> Bool {
  path == scope || scope == "/" || path.hasPrefix(scope + "/")
}
