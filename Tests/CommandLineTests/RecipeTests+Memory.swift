import Glibc
import KernelTestSupport
import Support
import Testing

/// The recipes that watch memory.
extension RecipeTests {
  // MARK: Of the C library

  @Test func malloctopByProcess() throws {
    let load = try HeldWorkload("allocate")
    let values = try self.values(try trace(["malloc-top", "-P", "-p", "%"], of: load))
    #expect(values.map(\.key) == [[load.id, .text("workload")]])
    #expect(values.map(\.value) == [.integer(305_000)])
  }

  @Test func malloctopByStack() throws {
    let values = try self.values(try trace(["malloc-top", "-p", "%"], of: HeldWorkload("allocate")))
    // The frame of the direct caller is not there yet at the function's first instruction.
    let all = values.filter { $0.key.first?.text?.contains("\nallocate_in_all_ways+") == true }
    func bytes(_ function: String) -> [JSON] {
      all.filter { $0.key.first?.text?.prefix { $0 != "\n" }.hasSuffix(function) == true }.map(\.value)
    }
    #expect(bytes("malloc") == [.integer(100_000), .integer(1000)], "\(values)")
    #expect(bytes("calloc") == [.integer(150_000)])
    #expect(bytes("realloc") == [.integer(54_000)])
    #expect(all.allSatisfy { $0.key.first?.text?.contains("\nmain+") == true })
    let top = try self.values(try trace(["malloc-top", "-T", "1", "-p", "%"], of: HeldWorkload("allocate")))
    #expect(top.map(\.value) == [.integer(150_000)])
  }

  // MARK: Of the kernel

  @Test func drsnoop() throws {
    let device = try LoopDevice(megabytes: 32)
    try device.format()
    let group = try MemoryGroup(megabytes: 12)
    let records = try trace("drsnoop", "-m") {
      try device.run("echo $$ > \(group.processes); \(Self.workload) pages $MNT/f 6144")
    }
    let own = records.filter { $0["comm"] == .text("workload") && $0["pages"]?.integer ?? 0 > 0 }
    #expect(own.reduce(0) { $0 + ($1["pages"]?.integer ?? 0) } >= 1024, "\(records)")
    #expect(Set(own.map { $0["pid"]?.integer }).count == 1)
    #expect(records.allSatisfy { (0..<60_000_000).contains($0["lat_us"]?.integer ?? -1) })
  }

  @Test(.requires(.kprobes)) func oomkill() throws {
    let group = try MemoryGroup(megabytes: 20)
    var killed: (pid: Int64, status: Int32) = (0, 0)
    let records = try trace("oomkill") {
      killed = try start("/bin/sh", "-c", "echo $$ > \(group.processes); exec \(Self.workload) fill 100")
    }
    #expect(killed.status == 137)
    let own = records.filter { $0["killed_pid"]?.integer == killed.pid }
    let expected: [String: JSON] = [
      "pid": .integer(killed.pid), "comm": .text("workload"), "killed_pid": .integer(killed.pid),
      "killed_comm": .text("workload"), "limit_pages": .integer((20 << 20) / 4096), "cgroup": .text("yes"),
      "message": .text("Memory cgroup out of memory"),
    ]
    #expect(own == [.object(expected)])
  }

  /// A machine of one node balances nothing, so what else moves pages must not be counted.
  @Test func numamoveLeavesOtherMovesOut() throws {
    let nodes = String(decoding: try readFile("/sys/devices/system/node/online"), as: UTF8.self).trimming
    let records = try trace("numamove", "-i", "60") {
      // Compaction moves pages as balancing does.
      try setKernelFile("/proc/sys/vm/compact_memory", to: "1")
    }
    try #require(records.count == 1)
    #expect(records[0]["time"]?.text?.wholeMatch(of: /\d\d:\d\d:\d\d/) != nil)
    for name in ["pages", "failed", "us"] {
      let count = try #require(records[0][name]?.integer)
      #expect(nodes == "0" ? count == 0 : count >= 0)
    }
  }
}
