import CLibbpf
import Glibc
import Support

extension Attachment {
  /// An iterator: over the tasks of one process when there is a pid and it goes over tasks, over the entries of the
  /// object's only map that it can go over, over all cgroups from the top.
  func iterator() throws(MoontraceError) -> Link.Part {
    guard var target = try iteratorTarget() else {
      return try libbpf { bpf_program__attach_iter(program.pointer, nil) }
    }
    return try libbpf {
      withUnsafeMutablePointer(to: &target) { target in
        var options = bpf_iter_attach_opts()
        options.sz = optionsSize(upTo: \bpf_iter_attach_opts.link_info_len)
        options.link_info = target
        options.link_info_len = UInt32(MemoryLayout<bpf_iter_link_info>.size)
        return bpf_program__attach_iter(program.pointer, &options)
      }
    }
  }

  /// What it goes over; nil where that needs no saying.
  private func iteratorTarget() throws(MoontraceError) -> bpf_iter_link_info? {
    var target = bpf_iter_link_info()
    switch spec {
    case .iterator("cgroup"): target.cgroup.order = BPF_CGROUP_ITER_DESCENDANTS_PRE
    case .iterator(let name) where name.hasPrefix("task"):
      guard let pid else { return nil }
      target.task.pid = UInt32(bitPattern: pid)
    case .iterator(let name):
      guard let types = Self.mapsOfIterators[name] else { return nil }
      target.map.map_fd = UInt32(bitPattern: try onlyMap(of: types))
    default: return nil
    }
    return target
  }

  /// kernel/bpf/map_iter.c, net/core/bpf_sk_storage.c and sock_map.c.
  private static let mapsOfIterators: [String: Set<UInt32>] = [
    "bpf_map_elem": [
      BPF_MAP_TYPE_HASH.rawValue, BPF_MAP_TYPE_LRU_HASH.rawValue, BPF_MAP_TYPE_ARRAY.rawValue,
      BPF_MAP_TYPE_PERCPU_HASH.rawValue, BPF_MAP_TYPE_LRU_PERCPU_HASH.rawValue, BPF_MAP_TYPE_PERCPU_ARRAY.rawValue,
    ],
    "bpf_sk_storage_map": [BPF_MAP_TYPE_SK_STORAGE.rawValue],
    "sockmap": [BPF_MAP_TYPE_SOCKMAP.rawValue, BPF_MAP_TYPE_SOCKHASH.rawValue],
  ]

  /// The descriptor of the one map of these types that the object has.
  private func onlyMap(of types: Set<UInt32>) throws(MoontraceError) -> Int32 {
    var maps: [OpaquePointer] = []
    var next = bpf_object__next_map(program.handle.pointer, nil)
    while let map = next {
      if types.contains(bpf_map__type(map).rawValue), !bpf_map__is_internal(map) { maps.append(map) }
      next = bpf_object__next_map(program.handle.pointer, map)
    }
    if maps.count == 1 { return bpf_map__fd(maps[0]) }
    let names = maps.compactMap { bpf_map__name($0).map { String(cString: $0) } }
    let problem = names.isEmpty ? "has none that fits" : "has several that fit"
    throw MoontraceError(
      .usage, "\(spec) goes over the entries of a map, and its object \(problem)",
      remedy: names.isEmpty ? nil : "leave one of \(names.joined(separator: ", ")) in it")
  }
}
