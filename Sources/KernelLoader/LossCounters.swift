import CLibbpf
import Glibc
import Support

/// One 64-bit counter for each program of an object, in a kernel map whose memory this process sees.
struct LossCounters: ~Copyable {
  private let map: OwnedDescriptor
  private let values: UnsafeMutableRawPointer
  private let length: Int

  var descriptor: Int32 { map.number }

  /// Creates and maps counters. nil when the kernel has no mappable array maps (before 5.5): losses are then uncounted.
  init?(count: Int) {
    let valueSize = max(count, 1) * 8
    var options = bpf_map_create_opts()
    options.sz = optionsSize(upTo: \bpf_map_create_opts.map_flags)
    options.map_flags = UInt32(BPF_F_MMAPABLE)
    let created = LibbpfLog.capture {
      bpf_map_create(BPF_MAP_TYPE_ARRAY, "moontrace_lost", 4, UInt32(valueSize), 1, &options)
    }.result
    guard created >= 0 else { return nil }
    let map = OwnedDescriptor(created)
    let page = Int(getpagesize())
    let length = (valueSize + page - 1) / page * page
    guard let values = mmap(nil, length, PROT_READ, MAP_SHARED, map.number, 0), values != MAP_FAILED else { return nil }
    self.map = map
    self.values = values
    self.length = length
  }

  /// What the kernel has counted so far in one counter; no system call.
  func value(_ index: Int) -> UInt64 {
    guard index >= 0, (index + 1) * 8 <= length else { return 0 }
    return values.load(fromByteOffset: index * 8, as: UInt64.self)
  }

  deinit {
    munmap(values, length)
  }
}
