import CLibbpf
import Glibc
import Support

extension BPFObject {
  /// Puts a cgroup into each of the object's cgroup arrays (`BPF_MAP_TYPE_CGROUP_ARRAY`), as entry 0: the one that
  /// `bpf_current_task_under_cgroup` asks about. After the load.
  ///
  /// - Parameter path: its directory, below /sys/fs/cgroup.
  /// - Throws: `.usage` when the object has no such map, or the path is no cgroup of version 2.
  public func setCgroup(_ path: String) throws(MoontraceError) {
    try handle.requireLoaded("cgroup '\(path)'")
    let arrays = maps.filter { $0.type == .cgroupArray }
    guard !arrays.isEmpty else {
      throw MoontraceError(.usage, "\(name): it has no map of cgroups, so it can't be told one")
    }
    let opened = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard opened >= 0 else { throw MoontraceError(.usage, "\(name): can't open cgroup '\(path)': \(errnoText(errno))") }
    let directory = OwnedDescriptor(opened)
    for map in arrays {
      var (index, descriptor) = (UInt32(0), directory.number)
      let status = MapOperations.update(map.descriptor, &index, &descriptor)
      guard status == 0 else { throw refusal(status, path, map) }
    }
  }

  private func refusal(_ status: Int32, _ path: String, _ map: BPFMap) -> MoontraceError {
    if status == -EBADF || status == -EINVAL {
      var error = MoontraceError.noCgroup(path)
      error.message = "\(name): \(error.message)"
      return error
    }
    return MoontraceError(.scriptFailed, "\(name): map '\(map.name)' takes no cgroup: \(errnoText(-status))")
  }
}
