import Glibc
import KernelTestSupport
import Support
import Testing

/// The recipes that watch files.
extension RecipeTests {
  @Test func statsnoop() throws {
    let directory = try TemporaryDirectory()
    let (existing, missing) = (try directory.write("näme", "x"), directory.path("missing"))
    let load = try HeldWorkload("stat", existing, missing)
    let records = try trace(["statsnoop", "-p", "%"], of: load)
    let calls = ["newstat", "newlstat", "newfstatat", "statx", "statfs"]
    let expected = [(existing, 0, "OK"), (missing, -2, "ENOENT")].flatMap { path, result, error in
      calls.map { call in
        JSON.object([
          "pid": load.id, "comm": .text("workload"), "call": .text(call), "ret": .integer(Int64(result)),
          "error": .text(error), "path": .text(path),
        ])
      }
    }
    #expect(records == expected)
  }

  @Test func statsnoopOfFailedOnes() throws {
    let directory = try TemporaryDirectory()
    let (existing, missing) = (try directory.write("there", "x"), directory.path("missing"))
    let records = try trace(Self.room + ["statsnoop", "-x"], of: HeldWorkload("stat", existing, missing))
    #expect(records.allSatisfy { $0["ret"]?.integer ?? 0 < 0 })
    #expect(records.filter { $0["path"] == .text(missing) }.count == 5)
  }

  @Test func syncsnoop() throws {
    let directory = try TemporaryDirectory()
    let load = try HeldWorkload("sync", directory.path("synced"))
    let start = ContinuousClock.now
    let records = try trace(["syncsnoop", "-p", "%"], of: load)
    let events = ["fsync", "fdatasync", "sync_file_range", "syncfs", "msync", "fsync"]
    #expect(records.map { $0["event"]?.text } == events)
    #expect(records.map { $0["ret"]?.integer } == [0, 0, 0, 0, 0, -9])
    #expect(records.allSatisfy { $0["pid"] == load.id && $0["comm"] == .text("workload") })
    let took = records.reduce(0) { $0 + ($1["us"]?.integer ?? 0) }
    #expect(took > 0 && .microseconds(took) < ContinuousClock.now - start)
  }

  @Test func mountsnoop() throws {
    let directory = try TemporaryDirectory()
    let load = try HeldWorkload("mounts", directory.name)
    let (records, printed) = try traceAndRead(["mountsnoop", "-p", "%"], of: load)
    let place = directory.name
    let expected = [
      "mount(\"none\", \"/\", 0x44000)", "mount(\"workload\", \"\(place)\", \"tmpfs\", \"size=1m\", 0x2)",
      "umount(\"\(place)\", 0)", "umount(\"\(place)\", 0x2)",
    ]
    #expect(records.map { $0["call"]?.text } == expected)
    #expect(records.map { $0["ret"]?.integer } == [0, 0, 0, -22])
    let namespace = try #require(printed.first.flatMap { Int64($0) })
    for record in records {
      #expect(record["pid"] == load.id && record["comm"] == .text("workload"))
      #expect(record["mnt_ns"] == .integer(namespace))
    }
  }

  @Test func readahead() throws {
    let device = try LoopDevice(megabytes: 16)
    try device.format()
    try device.run("dd if=/dev/zero of=$MNT/f bs=64k count=64 status=none")
    let process = try MoontraceProcess(["run", "readahead"])
    try process.waitForAttached()
    try device.run("dd if=$MNT/f of=/dev/null bs=64k status=none")
    let run = try process.interrupt()
    let line = try #require(run.lines.first?.wholeMatch(of: /read ahead: (\d+) pages, unused: (\d+)/), "\(run.output)")
    // Of the whole machine, so at least the 1024 pages of this file; of them all but the first few were read ahead.
    let pages = try #require(Int(line.1)), unused = try #require(Int(line.2))
    #expect(pages >= 1000 && pages - unused >= 1000, "\(run.output)")
    #expect(run.lines.contains { $0.contains("msecs") && $0.contains("distribution") })
  }

  // MARK: On functions of the kernel

  @Test(.requires(.kprobes)) func vfsstat() throws {
    let directory = try TemporaryDirectory()
    let load = try HeldWorkload("pages", directory.path("file"), "50")
    let records = try trace(["vfsstat", "-p", "%", "-i", "60"], of: load)
    try #require(records.count == 1)
    let count = { (name: String) in records[0][name]?.integer ?? -1 }
    // Besides: the workload says that it is done, and waits. A file of an overlay is synced as two.
    #expect(count("write") == 51 && (50...51).contains(count("read")), "\(records)")
    #expect((1...2).contains(count("open")) && (1...2).contains(count("fsync")), "\(records)")
    #expect((0...1).contains(count("create")), "\(records)")
  }

  @Test(.requires(.fentry)) func filetop() throws {
    let directory = try TemporaryDirectory()
    let load = try HeldWorkload("pages", directory.path("used-much"), "50")
    let records = try trace(["filetop", "-p", "%", "-i", "60"], of: load)
    let expected: [String: JSON] = [
      "pid": load.id, "comm": .text("workload"), "file": .text("used-much"), "reads": .integer(50),
      "writes": .integer(50), "r_kb": .integer(200), "w_kb": .integer(200),
    ]
    #expect(records == [.object(expected)])
    let all = try trace(["filetop", "-p", "%", "-a", "-i", "60"], of: HeldWorkload("pages", directory.path("b"), "1"))
    #expect(all.count == 2, "the workload's output is a pipe: \(all)")
  }

  @Test(.requires(.kprobes)) func fileslower() throws {
    let directory = try TemporaryDirectory()
    let load = try HeldWorkload("pages", directory.path("every-page"), "5")
    let records = try trace(["fileslower", "-p", "%", "-m", "0"], of: load)
    #expect(records.map { $0["d"]?.text } == Array(repeating: "W", count: 5) + Array(repeating: "R", count: 5))
    for record in records {
      #expect(record["pid"] == load.id && record["comm"] == .text("workload"))
      #expect(record["bytes"] == .integer(4096) && record["file"] == .text("every-page"))
      #expect((0..<60_000_000).contains(record["lat_us"]?.integer ?? -1))
    }
    let slow = try HeldWorkload("pages", directory.path("b"), "5")
    #expect(try trace(["fileslower", "-p", "%", "-m", "60000"], of: slow) == [])
  }

  @Test(.requires(.kprobes)) func ext4slower() throws {
    let device = try LoopDevice(megabytes: 16)
    try device.format()
    try device.run(":")  // The kernel loads ext4 by itself, but no sooner.
    let records = try trace("ext4slower", "-m", "0") {
      try device.run(
        "dd if=/dev/zero of=$MNT/of-ext4 bs=4k count=3 conv=fsync status=none; cat $MNT/of-ext4 >/dev/null")
    }.filter { $0["file"]?.text == "of-ext4" }
    let own = records.map { "\($0["comm"]?.text ?? "") \($0["t"]?.text ?? "")" }
    #expect(own.prefix(5) == ["dd O", "dd W", "dd W", "dd W", "dd S"])
    #expect(own.dropFirst(5).first == "cat O" && own.last == "cat R")
    let writes = records.filter { $0["t"]?.text == "W" }
    #expect(writes.map { $0["off_kb"]?.integer } == [0, 4, 8] && writes.allSatisfy { $0["bytes"]?.integer == 4096 })
    #expect(records.filter { $0["t"]?.text == "R" }.reduce(0) { $0 + ($1["bytes"]?.integer ?? 0) } == 3 * 4096)
    #expect(records.allSatisfy { (0..<60_000_000).contains($0["lat_us"]?.integer ?? -1) })
  }

  @Test(.requires(.kprobes)) func cachestat() throws {
    let device = try LoopDevice(megabytes: 16)
    try device.format()
    try device.run("dd if=/dev/zero of=$MNT/f bs=4k count=2000 status=none")
    let records = try trace("cachestat", "-i", "60") {
      try device.run("for i in 1 2; do dd if=$MNT/f of=/dev/null bs=4k status=none; done")
    }
    try #require(records.count == 1)
    let count = { (name: String) in records[0][name]?.integer ?? -1 }
    // An estimate, of the whole machine: 2000 pages come from the device, and are there the second time.
    #expect(count("misses") >= 1800 && count("hits") >= 1600, "\(records)")
    let all = count("hits") + count("misses")
    #expect(count("hit_percent") == count("hits") * 100 / all)
  }
}
