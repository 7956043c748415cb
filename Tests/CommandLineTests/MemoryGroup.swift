import Glibc
import Support

/// A control group of the test's own whose processes share so much memory; removed with this value, after them.
final class MemoryGroup {
  /// Where a process writes its id to join.
  var processes: String { "\(path)/cgroup.procs" }
  private let path: String
  private let mount: Mount?

  init(megabytes: Int) throws {
    let (root, mount) = try Self.hierarchy()
    self.mount = mount
    path = "\(root)/moontrace-test-\(UInt32.random(in: 0 ... .max))"
    let isFirstVersion = access("\(root)/memory.limit_in_bytes", F_OK) == 0
    if !isFirstVersion { try setKernelFile("\(root)/cgroup.subtree_control", to: "+memory") }
    try check("make \(path)") { mkdir(path, 0o755) }
    let limit = isFirstVersion ? "memory.limit_in_bytes" : "memory.max"
    try setKernelFile("\(path)/\(limit)", to: "\(megabytes << 20)")
  }

  deinit {
    // A process that has ended may hold the group for a moment longer.
    for _ in 0..<1000 where rmdir(path) != 0 && errno == EBUSY { usleep(1000) }
  }

  /// The file system with the groups that limit memory; mounted where the machine has not done so.
  private static func hierarchy() throws -> (root: String, mount: Mount?) {
    if access("/sys/fs/cgroup/memory/memory.limit_in_bytes", F_OK) == 0 { return ("/sys/fs/cgroup/memory", nil) }
    if access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0 { return ("/sys/fs/cgroup", nil) }
    let mount = try Mount()
    return (mount.directory.name, mount)
  }

  private final class Mount {
    let directory: TemporaryDirectory

    init() throws {
      directory = try TemporaryDirectory()
      try check("mount the control groups") { Glibc.mount("none", directory.name, "cgroup2", 0, nil) }
    }

    deinit {
      umount(directory.name)
    }
  }
}

/// Writes a file of the kernel's that is there, such as one in /proc/sys; `writeFile` would put a new one in its place.
func setKernelFile(_ path: String, to text: String) throws {
  let file = OwnedDescriptor(try check("open \(path)") { open(path, O_WRONLY | O_CLOEXEC) })
  try writeAll(file.number, Array(text.utf8), name: path)
}
