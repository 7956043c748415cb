import Glibc

/// A child process, reaped exactly once.
///
/// ```swift
/// let status = try Subprocess("/bin/true", []).wait()
/// ```
public struct Subprocess: ~Copyable {
  public let pid: pid_t

  /// Starts `path` (looked for on PATH when it has no slash) with `arguments`, its signal mask emptied.
  ///
  /// - Parameters:
  ///   - descriptors: the child's descriptors by number, each a copy of one of ours; 0, 1 and 2 are inherited when
  ///     not given.
  ///   - environment: `NAME=VALUE` texts that stand before, and so override, this process's own.
  public init(
    _ path: String, _ arguments: [String], descriptors: [Int32: Int32] = [:], environment: [String] = []
  ) throws(SystemError) {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    var moved: [Int32] = []
    defer { for descriptor in moved { close(descriptor) } }
    let aside = (descriptors.keys.max() ?? 0) + 1
    for (number, ours) in descriptors {
      var source = ours
      // Where it stands the child gets another one, perhaps before this one is copied.
      if ours != number, descriptors[ours] != nil {
        source = try check("copy descriptor \(ours)") { fcntl(ours, F_DUPFD_CLOEXEC, aside) }
        moved.append(source)
      }
      posix_spawn_file_actions_adddup2(&actions, source, number)
    }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    Self.resetSignals(&attributes)

    var words = Self.cStrings([path] + arguments)
    var variables = Self.cStrings(environment + Self.inherited(besides: environment))
    defer { (words + variables).forEach { free($0) } }
    var pid: pid_t = 0
    let status = posix_spawnp(&pid, path, &actions, &attributes, &words, &variables)
    guard status == 0 else { throw SystemError("start \(path)", errno: status) }
    self.pid = pid
  }

  /// Waits for the end; the exit code, or 128 + the signal that ended it, as a shell says it.
  public consuming func wait() throws(SystemError) -> Int32 {
    var status: Int32 = 0
    try check("wait for process \(pid)") { waitpid(pid, &status, 0) }
    let signal = status & 0x7f
    return signal == 0 ? (status >> 8) & 0xff : 128 + signal
  }

  /// What we block or ignore (SIGPIPE, say) is not the child's business.
  private static func resetSignals(_ attributes: inout posix_spawnattr_t) {
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    var defaults = sigset_t()
    sigemptyset(&defaults)
    sigaddset(&defaults, SIGPIPE)
    posix_spawnattr_setsigdefault(&attributes, &defaults)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
  }

  private static func cStrings(_ texts: [String]) -> [UnsafeMutablePointer<CChar>?] {
    texts.map { strdup($0) } + [nil]
  }

  private static func inherited(besides overrides: [String]) -> [String] {
    let names = overrides.map { $0.prefix { $0 != "=" } }
    var variables: [String] = []
    var place = environ
    while let text = place.pointee {
      let variable = String(cString: text)
      if !names.contains(variable.prefix { $0 != "=" }) { variables.append(variable) }
      place += 1
    }
    return variables
  }
}

/// A pipe whose ends close with their owner; children get only the ends that they are given.
public struct Pipe: ~Copyable {
  public let reading: Int32
  public private(set) var writing: Int32

  public init() throws(SystemError) {
    var ends: [Int32] = [0, 0]
    try check("make a pipe") { pipe(&ends) }
    // pipe2 is not in the Glibc module. A child that another thread starts just now may inherit the ends.
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    (reading, writing) = (ends[0], ends[1])
  }

  /// Closes our writing end, so that the reader sees the end once the children have closed theirs.
  public mutating func closeWriting() {
    if writing >= 0 { close(writing) }
    writing = -1
  }

  deinit {
    close(reading)
    if writing >= 0 { close(writing) }
  }
}
