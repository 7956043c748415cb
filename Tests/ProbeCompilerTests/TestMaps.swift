import BPFAssembly
import CLibbpf
import Glibc
import Support

/// The maps of programs in tests: `results`, whose memory the test reads, and scratch.
final class TestMaps {
  static let results = MapReference(id: 1)
  static let scratch = MapReference(id: 2)
  /// How many numbers `results` holds.
  static let count = 64
  /// How many bytes scratch holds.
  static let scratchSize: UInt32 = 16384

  private let resultMap: OwnedDescriptor
  private let scratchMap: OwnedDescriptor
  private let memory: UnsafeMutablePointer<Int64>

  init() throws {
    var options = bpf_map_create_opts()
    options.sz = MemoryLayout<bpf_map_create_opts>.size
    options.map_flags = UInt32(BPF_F_MMAPABLE)
    let number = bpf_map_create(BPF_MAP_TYPE_ARRAY, "results", 4, UInt32(Self.count * 8), 1, &options)
    let scratch = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "scratch", 4, Self.scratchSize, 1, nil)
    guard number >= 0, scratch >= 0,
      let address = mmap(nil, Self.count * 8, PROT_READ | PROT_WRITE, MAP_SHARED, number, 0),
      address != MAP_FAILED
    else { throw KernelRun.Refusal(description: "the maps can't be made: \(String(cString: strerror(errno)))") }
    resultMap = OwnedDescriptor(number)
    scratchMap = OwnedDescriptor(scratch)
    memory = address.bindMemory(to: Int64.self, capacity: Self.count)
  }

  deinit { munmap(memory, Self.count * 8) }

  func descriptor(_ map: MapReference) -> Int32 {
    map == Self.results ? resultMap.number : map == Self.scratch ? scratchMap.number : -1
  }

  /// What the last run left, and zeros for the next.
  func takeResults() -> [Int64] {
    let results = Array(UnsafeBufferPointer(start: memory, count: Self.count))
    memory.update(repeating: 0, count: Self.count)
    return results
  }
}
