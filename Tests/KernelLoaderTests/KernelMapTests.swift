import CLibbpf
import Glibc
import KernelTestSupport
import Support
import Testing

@testable import KernelLoader

@Suite(.requires(.root)) struct KernelMapTests {
  private func bytes(_ numbers: UInt64...) -> [UInt8] {
    numbers.flatMap { number in withUnsafeBytes(of: number) { Array($0) } }
  }

  @Test func entriesComeAndGo() throws {
    let map = try KernelMap(.init(name: "count by (pid)", type: .hash, keySize: 8, valueSize: 16, maxEntries: 2))
    #expect(try map.lookup(bytes(1)) == nil && map.entries().isEmpty)
    try map.update(bytes(1), to: bytes(10, 11))
    try map.update(bytes(2), to: bytes(20, 21))
    #expect(try map.lookup(bytes(2)) == bytes(20, 21))
    let full = try failure { try map.update(bytes(3), to: bytes(0, 0)) }
    #expect(full.message == "map 'count by (pid)' is full: it has 2 entries")
    #expect(try map.remove(bytes(1)) && !map.remove(bytes(1)))
    #expect(try map.entries() == [.init(key: bytes(2), value: bytes(20, 21))])
    #expect(throws: MoontraceError.self) { try map.update([1], to: bytes(0, 0)) }
    #expect(throws: MoontraceError.self) { try map.update(bytes(1), to: [1]) }
  }

  @Test func manyEntriesInBatches() throws {
    let map = try KernelMap(.init(name: "many", type: .hash, keySize: 8, valueSize: 8, maxEntries: 5000))
    for number in 0..<UInt64(5000) { try map.update(bytes(number), to: bytes(number * 3)) }
    let entries = try map.entries()
    #expect(Set(entries) == Set((0..<5000).map { .init(key: bytes($0), value: bytes($0 * 3)) }))
    let taken = try map.entries(taking: true)
    #expect(taken.count == 5000)
    #expect(try map.entries().isEmpty)
  }

  @Test func prefixTriesAndArrays() throws {
    let trie = try KernelMap(
      .init(
        name: "trie", type: .lpmTrie, keySize: 8, valueSize: 8, maxEntries: 8, flags: UInt32(BPF_F_NO_PREALLOC)))
    try trie.update([32, 0, 0, 0, 10, 0, 0, 1], to: bytes(7))
    #expect(try trie.entries().map(\.value) == [bytes(7)])
    let array = try KernelMap(.init(name: "array", type: .array, keySize: 4, valueSize: 8, maxEntries: 3))
    #expect(try array.entries().count == 3)
  }

  @Test func valuesOfAllProcessors() throws {
    let map = try KernelMap(.init(name: "per_cpu", type: .perCPUHash, keySize: 8, valueSize: 4, maxEntries: 8))
    let cpus = MapOperations.possibleCPUs
    #expect(map.wholeValueSize == 8 * cpus)
    let value = (0..<cpus).flatMap { bytes(UInt64($0)) }
    try map.update(bytes(5), to: value)
    #expect(try map.lookup(bytes(5)) == value)
    #expect(try map.entries() == [.init(key: bytes(5), value: value)])
  }

  @Test func otherKinds() throws {
    let ring = try KernelMap(.ringBuffer(name: "events", bytes: 5000))
    #expect(ring.definition.maxEntries == 8192 && ring.descriptor >= 0)
    let stacks = try KernelMap(.stackTraces(name: "stacks", maxEntries: 64))
    #expect(stacks.definition.valueSize == 8 * 127)
    #expect(try KernelMap(.value(name: "scratch", size: 4096, perCPU: true)).descriptor >= 0)
  }

  @Test func refusals() throws {
    let error = try failure {
      _ = try KernelMap(.init(name: "x", type: .hash, keySize: 0, valueSize: 8, maxEntries: 1))
    }
    #expect(error.message.contains("map 'x'") && error.message.contains("its key has no size"))
    let large = try failure {
      _ = try KernelMap(.init(name: "x", type: .hash, keySize: 8, valueSize: 8, maxEntries: 1 << 40))
    }
    #expect(large.message == "map 'x' is too large")
  }

  @Test func sharedValue() throws {
    let value = try MappedValue(name: "shared", size: 20, isWritable: true)
    #expect(value.bytes.count == 24 && value.counter(0) == 0)
    value.write(42, at: 8)
    #expect(value.counter(1) == 42 && value.counter(3) == 0 && value.counter(-1) == 0)
    #expect(try value.map.lookup([0, 0, 0, 0]) == bytes(0, 42, 0))
    try value.map.update([0, 0, 0, 0], to: bytes(1, 2, 3))
    #expect(value.counter(2) == 3)
    let constant = try MappedValue(name: "constant", size: 8)
    constant.write(1, at: 0)
    #expect(constant.counter(0) == 0)
  }

  @Test func namesThatTheKernelTakes() throws {
    let map = try KernelMap(.value(name: "größe@a/very.long name", size: 8))
    var info = bpf_map_info()
    var length = UInt32(MemoryLayout<bpf_map_info>.size)
    try #require(bpf_obj_get_info_by_fd(map.descriptor, &info, &length) == 0)
    let name = withUnsafeBytes(of: info.name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    #expect(name == "gr____e_a_very_")
  }

  @Test func goesAwayWithItsOwner() throws {
    var info = bpf_map_info()
    var length = UInt32(MemoryLayout<bpf_map_info>.size)
    do {
      let map = try KernelMap(.init(name: "gone", type: .hash, keySize: 8, valueSize: 8, maxEntries: 1))
      try #require(bpf_obj_get_info_by_fd(map.descriptor, &info, &length) == 0)
    }
    let id = info.id
    #expect(
      Kernel.waitUntil {
        let descriptor = bpf_map_get_fd_by_id(id)
        if descriptor >= 0 { close(descriptor) }
        return descriptor < 0
      })
  }
}
