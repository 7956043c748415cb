import Glibc

/// The bytes of a whole file (also of /proc and /sys files, whose size says nothing).
public func readFile(_ path: String) throws(SystemError) -> [UInt8] {
  let file = OwnedDescriptor(try check("open \(path)") { open(path, O_RDONLY | O_CLOEXEC) })
  return try readAll(file.number, name: path)
}

/// Reads a descriptor to its end; nil when that is behind `limit` bytes.
public func readAll(_ descriptor: Int32, name: String, limit: Int) throws(SystemError) -> [UInt8]? {
  var bytes: [UInt8] = []
  while bytes.count <= limit {
    let block = try readBlock(descriptor, limit: 1 << 16, name: name)
    bytes += block
    if block.count < 1 << 16 { return bytes.count <= limit ? bytes : nil }
  }
  return nil
}

/// Reads a descriptor to its end.
public func readAll(_ descriptor: Int32, name: String) throws(SystemError) -> [UInt8] {
  var information = stat()
  let expected = fstat(descriptor, &information) == 0 ? Int(information.st_size) : 0
  var limit = expected > 0 ? expected + 1 : 1 << 16
  var bytes = try readBlock(descriptor, limit: limit, name: name)
  var isFull = bytes.count == limit
  while isFull {
    limit = max(1 << 16, bytes.count)
    let block = try readBlock(descriptor, limit: limit, name: name)
    bytes += block
    isFull = block.count == limit
  }
  return bytes
}

/// Reads until the end or `limit` bytes, however little each read gives: /sys gives a page at a time.
private func readBlock(_ descriptor: Int32, limit: Int, name: String) throws(SystemError) -> [UInt8] {
  var failure: SystemError?
  let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, filled in
    do throws(SystemError) {
      while filled < limit {
        let start = filled
        let count = try check("read \(name)") { read(descriptor, buffer.baseAddress! + start, limit - start) }
        if count == 0 { return }
        filled += count
      }
    } catch {
      failure = error
    }
  }
  if let failure { throw failure }
  return bytes
}

/// The names in a directory, sorted, without `.` and `..`; none when it can't be read.
///
/// - Parameters:
///   - directories: only directories.
///   - hidden: also those that begin with a dot.
public func directoryEntries(_ path: String, directories: Bool = false, hidden: Bool = false) -> [String] {
  guard let directory = opendir(path) else { return [] }
  defer { closedir(directory) }
  var names: [String] = []
  while let entry = readdir(directory) {
    // In place: an entry ends with its name, not with the 256 bytes of the type.
    let name = withUnsafePointer(to: &entry.pointee.d_name.0) { String(cString: $0) }
    let isShown = hidden ? name != "." && name != ".." : !name.hasPrefix(".")
    if isShown, !directories || entry.pointee.d_type == DT_DIR { names.append(name) }
  }
  return names.sorted()
}

/// The paths that a path being typed may become, sorted: directories with a slash behind, and files. Those whose names
/// begin with a dot only when `start` asks for one.
///
/// ```swift
/// pathsStarting(with: "lua-lib/re") { $0.hasSuffix(".lua") }  // "lua-lib/recipes/"
/// ```
///
/// - Parameter isWanted: of a file, by its path.
public func pathsStarting(with start: String, where isWanted: (String) -> Bool = { _ in true }) -> [String] {
  let directory = start.lastIndex(of: "/").map { String(start[...$0]) } ?? ""
  let name = start.dropFirst(directory.count)
  let names = directoryEntries(directory.isEmpty ? "." : directory, hidden: name.hasPrefix("."))
  return names.filter { $0.hasPrefix(name) }.compactMap { entry in
    let path = directory + entry
    var about = stat()
    let isDirectory = stat(path, &about) == 0 && about.st_mode & S_IFMT == S_IFDIR
    return isDirectory ? path + "/" : isWanted(path) ? path : nil
  }
}

/// Writes a file whole or not at all: a temporary file beside it, then a rename.
public func writeFile(_ path: String, _ bytes: [UInt8], mode: mode_t = 0o644) throws(SystemError) {
  let temporary = "\(path).\(getpid()).tmp"
  let file = OwnedDescriptor(
    try check("create \(temporary)") { open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode) })
  do {
    try writeAll(file.number, bytes, name: temporary)
    try check("rename \(temporary) to \(path)") { rename(temporary, path) }
  } catch {
    unlink(temporary)
    throw error
  }
}

/// Makes a directory with those above it; those that exist stay as they are.
public func makeDirectories(_ path: String, mode: mode_t = 0o755) throws(SystemError) {
  var partial = path.hasPrefix("/") ? "" : "."
  for part in path.split(separator: "/") {
    partial += "/\(part)"
    if mkdir(partial, mode) != 0, errno != EEXIST { throw SystemError("make the directory \(partial)", errno: errno) }
  }
}

/// Writes all bytes to a descriptor.
public func writeAll(_ descriptor: Int32, _ bytes: [UInt8], name: String) throws(SystemError) {
  var start = 0
  while start < bytes.count {
    start += try check("write \(name)") {
      bytes.withUnsafeBytes { write(descriptor, $0.baseAddress! + start, bytes.count - start) }
    }
  }
}

/// Removes a directory and all in it, as far as that can be done.
public func removeTree(_ directory: String) {
  for name in directoryEntries(directory, directories: true, hidden: true) { removeTree("\(directory)/\(name)") }
  for name in directoryEntries(directory, hidden: true) { unlink("\(directory)/\(name)") }
  rmdir(directory)
}
