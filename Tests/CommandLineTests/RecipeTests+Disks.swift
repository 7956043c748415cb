import Glibc
import KernelTestSupport
import Support
import Testing

/// The recipes that watch block devices, on one of the test's own.
extension RecipeTests {
  private static let requests: Int64 = 20

  @Test(arguments: ["read", "write"]) func biosnoop(direction: String) throws {
    let device = try LoopDevice(megabytes: 1)
    let load = try HeldWorkload("direct", direction, device.path, "\(Self.requests)")
    let start = ContinuousClock.now
    let records = try trace(["biosnoop", "-p", "%", "-d", device.name], of: load)
    #expect(records.map { $0["sector"]?.integer } == (0..<Self.requests).map { $0 * 8 })
    for record in records {
      #expect(record["pid"] == load.id && record["comm"] == .text("workload"))
      #expect(record["disk"] == .text(device.name) && record["bytes"] == .integer(4096))
      #expect(record["t"] == .text(direction == "read" ? "R" : "W"))
    }
    let took = records.reduce(0) { $0 + ($1["que_us"]?.integer ?? 0) + ($1["lat_us"]?.integer ?? 0) }
    #expect(took > 0 && .microseconds(took) < ContinuousClock.now - start)
    let times = try records.map { try #require($0["time_ms"]?.integer) }
    #expect(times == times.sorted())
  }

  @Test func biosnoopOfAnotherDisk() throws {
    let device = try LoopDevice(megabytes: 1)
    let load = try HeldWorkload("direct", "read", device.path, "3")
    #expect(try trace(["biosnoop", "-d", "no-such-disk"], of: load) == [])
  }

  @Test(arguments: [[], ["-Q"]]) func biolatency(options: [String]) throws {
    let device = try LoopDevice(megabytes: 1)
    let load = try HeldWorkload("direct", "read", device.path, "\(Self.requests)")
    let start = ContinuousClock.now
    let values = try self.values(try trace(["biolatency", "-D"] + options, of: load))
    let own = try ranges(values.first { $0.key == [.text(device.name)] }?.value)
    // Elsewhere udev may look at a new disk too.
    #expect((Self.requests..<2 * Self.requests).contains(own.reduce(0) { $0 + $1.count }), "\(values)")
    let least = own.reduce(0) { $0 + $1.min * $1.count }
    #expect(.microseconds(least) < ContinuousClock.now - start)
  }

  @Test func biotop() throws {
    let device = try LoopDevice(megabytes: 1)
    let load = try HeldWorkload("direct", "write", device.path, "\(Self.requests)")
    let records = try trace(["biotop", "-i", "60", "-T", "1000"], of: load)
    let own = records.filter { $0["pid"] == load.id && $0["disk"] == .text(device.name) }
    try #require(own.count == 1, "\(records)")
    #expect(own[0]["comm"] == .text("workload") && own[0]["t"] == .text("W"))
    #expect(own[0]["io"] == .integer(Self.requests) && own[0]["kbytes"] == .integer(Self.requests * 4))
    #expect((0..<60_000_000).contains(own[0]["avg_us"]?.integer ?? -1))
    let sizes = records.compactMap { $0["kbytes"]?.integer }
    #expect(sizes == sizes.sorted(by: >))
  }

  @Test func bitesize() throws {
    let workload = try Workload()
    let device = try LoopDevice(megabytes: 1)
    let load = try HeldWorkload(["direct", "read", device.path, "\(Self.requests)"], path: workload.path)
    let values = try self.values(try trace(["bitesize", "-n", workload.name], of: load))
    try #require(values.map(\.key) == [[.text(workload.name)]])
    let ranges = try self.ranges(values[0].value)
    try #require(ranges.count == 1)
    #expect(ranges[0] == (min: 4, max: 7, count: Self.requests))
  }

  @Test func writeback() throws {
    let device = try LoopDevice(megabytes: 16)
    try device.format()
    let start = ContinuousClock.now
    let records = try trace("writeback") {
      try device.run("dd if=/dev/zero of=$MNT/f bs=4k count=500 status=none; sync -f $MNT")
    }.filter { $0["device"] == .text(device.number) }
    for record in records {
      let latency = try #require(record["lat_us"]?.integer)
      #expect(latency >= 0 && .microseconds(latency) < ContinuousClock.now - start)
      #expect(record["reason"]?.text != "other")
    }
    // Besides the file's pages there may be some of the file system's own.
    let pages = records.reduce(0) { $0 + ($1["pages"]?.integer ?? 0) }
    #expect((500...600).contains(pages), "\(records)")
    #expect(records.contains { $0["reason"] == .text("sync") && $0["pages"]?.integer ?? 0 >= 100 }, "\(records)")
  }
}
