import Glibc

/// A file that is written when all is over, and of which it is known from the start that it can be.
///
/// ```swift
/// let file = try ReservedFile("out.svg")  // throws now, not after an hour of tracing
/// try file.write(bytes)
/// ```
public struct ReservedFile: Sendable {
  /// As the user named it.
  public let path: String
  /// Where it is, without symbolic links.
  private let place: String
  /// Devices, pipes and the like, which can't be replaced by another file.
  private let isSpecial: Bool

  /// Throws a usage error, without the option's name, when nothing can be written there.
  public init(_ path: String) throws(MoontraceError) {
    self.path = path
    place = Self.resolved(path)
    var information = stat()
    let exists = stat(place, &information) == 0
    let kind = information.st_mode & S_IFMT
    if path.isEmpty { throw Self.refusal(path, errnoText(ENOENT)) }
    if path.hasSuffix("/") || exists && kind == S_IFDIR { throw Self.refusal(path, "it is a directory") }
    isSpecial = exists && kind != S_IFREG
    try check()
  }

  private static func resolved(_ path: String) -> String {
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
  }

  private static func refusal(_ path: String, _ cause: String) -> MoontraceError {
    MoontraceError(.usage, "can't write to '\(path)': \(cause)", remedy: "name a file in a directory you may write to")
  }

  /// Makes a file beside the place, as writing will, and takes it away again.
  private func check() throws(MoontraceError) {
    if isSpecial {
      if access(place, W_OK) != 0 { throw Self.refusal(path, errnoText(errno)) }
      return
    }
    let trial = "\(place).\(getpid()).tmp"
    let descriptor = open(trial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Self.refusal(path, errnoText(errno)) }
    close(descriptor)
    unlink(trial)
  }

  /// Writes it whole or not at all: readers see the old file or the new one.
  public func write(_ bytes: [UInt8]) throws(SystemError) {
    guard isSpecial else { return try writeFile(place, bytes) }
    let file = OwnedDescriptor(try Support.check("open \(path)") { open(place, O_WRONLY | O_CLOEXEC) })
    try writeAll(file.number, bytes, name: path)
  }
}
