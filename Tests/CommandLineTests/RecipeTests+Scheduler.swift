import Glibc
import KernelTestSupport
import Support
import Testing

/// The recipes that watch CPUs, the tasks that run on them and those that wait.
extension RecipeTests {
  // MARK: Naps

  @Test func naptime() throws {
    let load = try HeldWorkload("nap", "5", "20")
    let records = try trace(["naptime", "-p", "%"], of: load)
    #expect(records.count == 5)
    for record in records {
      #expect(record["pid"] == load.id && record["comm"] == .text("workload"))
      #expect(record["ppid"] == .integer(Int64(getpid())) && record["interrupted"] == .boolean(false))
      #expect((20..<60_000).contains(record["ms"]?.integer ?? -1))
    }
  }

  @Test func naptimeOfInterruptedOnes() throws {
    let load = try HeldWorkload("nap-interrupted", "20")
    let records = try trace(["naptime", "-p", "%"], of: load)
    #expect(records.map { $0["interrupted"] } == [.boolean(true)])
    // The timer is set a moment before the nap begins.
    #expect((10..<60_000).contains(records.first?["ms"]?.integer ?? -1))
  }

  // MARK: On and off the CPU

  /// What the values of a histogram sum up to, at least and at most.
  private func sum(_ histogram: JSON?) throws -> (least: Int64, most: Int64) {
    try ranges(histogram).reduce((0, 0)) { ($0.0 + $1.min * $1.count, $0.1 + ($1.max + 1) * $1.count) }
  }

  @Test func cpudist() throws {
    let start = ContinuousClock.now
    let records = try trace(["cpudist", "-p", "%"], of: HeldWorkload("spin-there", "0.2"))
    let values = try self.values(records)
    try #require(values.count == 1 && values[0].key == [])
    let time = try sum(values[0].value)
    #expect(.microseconds(time.least) <= ContinuousClock.now - start && time.most >= 200_000, "\(time)")
  }

  @Test func cpudistOffTheCPU() throws {
    let load = try HeldWorkload("sleep", "100")
    let start = ContinuousClock.now
    let (records, printed) = try traceAndRead(["cpudist", "-O", "-P", "-p", "%"], of: load)
    let values = try self.values(records)
    try #require(values.map(\.key) == [[load.id, .text("workload")]])
    let switches = try #require(printed.first.flatMap { Int64($0) })
    let counted = try total(values[0].value)
    // Before and after its task it waits too; on a crowded machine one or two were missing now and then.
    #expect((switches * 95 / 100...switches + 20).contains(counted), "\(switches) switches")
    let time = try sum(values[0].value)
    #expect(.microseconds(time.least) <= ContinuousClock.now - start && time.most >= 100_000, "\(time)")
  }

  @Test func cpuwalk() throws {
    let (records, printed) = try traceAndRead(
      ["cpuwalk", "-F", "499", "-p", "%"], of: HeldWorkload("spin-there", "0.2"))
    let cpu = try #require(printed.first.flatMap { Int64($0) })
    let ranges = try self.ranges(try values(records).first?.value)
    let there = ranges.filter { $0.min == cpu && $0.max == cpu }.reduce(0) { $0 + $1.count }
    // It may begin on another CPU.
    #expect(there > 0 && there >= ranges.reduce(0) { $0 + $1.count } - 2, "\(ranges)")
  }

  @Test(.requires(.nativeSpeed)) func cpuwalkKeepsTheFrequency() throws {
    let records = try trace(["cpuwalk", "-F", "499", "-p", "%"], of: HeldWorkload("spin-there", "0.2"))
    #expect((70...140).contains(try total(try values(records).first?.value)), "100 are wanted")
  }

  @Test func runqlen() throws {
    let (records, printed) = try traceAndRead(["runqlen", "-C", "-F", "499"], of: HeldWorkload("crowd", "4", "0.3"))
    let cpu = JSON.integer(try #require(printed.first.flatMap { Int64($0) }))
    let ranges = try self.ranges(try values(records).first { $0.key == [cpu] }?.value)
    let crowded = ranges.filter { $0.min >= 3 }.reduce(0) { $0 + $1.count }
    // While four want the CPU, three wait.
    #expect(crowded >= (Need.slowdown == 1 ? 50 : 5), "\(ranges)")
    #expect(ranges.allSatisfy { $0.min == $0.max })
  }

  @Test func offcputime() throws {
    let load = try HeldWorkload("nap", "20", "3")
    let start = ContinuousClock.now
    let values = try self.values(try trace(["offcputime", "-p", "%", "-m", "1000"], of: load))
    let napping = values.filter { value in
      guard value.key.count == 3, let kernel = value.key[0].text, let user = value.key[1].text else { return false }
      return kernel.contains("do_nanosleep") && user.contains("\nworkload_nap+") && user.contains("\nmain+")
    }
    #expect(napping.allSatisfy { $0.key[2] == .text("workload") })
    let time = napping.reduce(0) { $0 + ($1.value.integer ?? 0) }
    #expect(time >= 57_000 && .microseconds(time) < ContinuousClock.now - start, "\(values)")
  }

  @Test func offcputimeOfUserAndKernelStacks() throws {
    let user = try values(try trace(["offcputime", "-U", "-p", "%"], of: HeldWorkload("nap", "5", "3")))
    #expect(user.allSatisfy { $0.key.count == 2 && $0.key[0].text?.contains("do_nanosleep") == false })
    #expect(user.contains { $0.key[0].text?.contains("workload_nap") == true })
    let kernel = try values(try trace(["offcputime", "-K", "-p", "%"], of: HeldWorkload("nap", "5", "3")))
    #expect(kernel.allSatisfy { $0.key.count == 2 && $0.key[0].text?.contains("workload_nap") == false })
    #expect(kernel.contains { $0.key[0].text?.contains("do_nanosleep") == true })
  }

  @Test func offcputimeFolded() throws {
    let load = try HeldWorkload("nap", "20", "3")
    let process = try MoontraceProcess(["run", "offcputime", "-f", "-p", "\(load.pid)"])
    try process.waitForAttached()
    try load.run()
    let lines = try process.interrupt().lines
    #expect(lines.allSatisfy { $0.wholeMatch(of: /workload(;[^;]+)+ \d+/) != nil }, "\(lines)")
    let own = lines.filter { $0.contains(";main;") && $0.contains(";workload_nap;") && $0.contains(";do_nanosleep;") }
    #expect(own.compactMap { Int(words($0).last ?? "") }.reduce(0, +) >= 57_000, "\(lines)")
  }

  @Test func offcputimeOfShortWaitsOnly() throws {
    let values = try self.values(
      try trace(["offcputime", "-K", "-M", "2900", "-p", "%"], of: HeldWorkload("nap", "5", "3")))
    #expect(values.allSatisfy { $0.key[0].text?.contains("do_nanosleep") == false })
  }

  @Test func wakeuptime() throws {
    let waker = "waker\(UInt16.random(in: 0...9999))"
    let load = try HeldWorkload("wake", "20", "3", waker)
    let start = ContinuousClock.now
    let values = try self.values(try trace(["wakeuptime", "-p", "%"], of: load))
    let own = values.filter { $0.key.first == .text(waker) && $0.key[1].text?.contains("pipe_write+") == true }
    #expect(own.allSatisfy { $0.key.last == .text("workload") })
    let time = own.reduce(0) { $0 + ($1.value.integer ?? 0) }
    #expect(time >= 40_000 && .microseconds(time) < ContinuousClock.now - start, "\(values)")
  }

  // MARK: Interrupts

  /// What the kernel itself counts, by name: in /proc/softirqs at the start of a line, in /proc/interrupts at its end.
  private func counts(_ path: String, named last: Bool) throws -> [String: Int64] {
    var counts: [String: Int64] = [:]
    for line in String(decoding: try readFile(path), as: UTF8.self).split(separator: "\n").dropFirst() {
      let words = self.words(String(line))
      let name = last ? words.last ?? "" : words[0].dropLast().lowercased()
      counts[name, default: 0] += words.dropFirst().prefix { Int64($0) != nil }.reduce(0) { $0 + (Int64($1) ?? 0) }
    }
    return counts
  }

  /// Traces with `recipe` while `body` runs, and compares with what the kernel counted: no less than within the trace,
  /// and no more than around it. How many of the names had events in the trace.
  private func compare(_ recipe: String, with path: String, named last: Bool, body: () throws -> Void) throws -> Int {
    let start = ContinuousClock.now
    let before = try counts(path, named: last)
    var began: [String: Int64] = [:], ended: [String: Int64] = [:]
    let records = try trace(recipe) {
      began = try counts(path, named: last)
      try body()
      ended = try counts(path, named: last)
    }
    let after = try counts(path, named: last)
    var compared = 0
    for record in records {
      guard let name = record[String(recipe.dropLast())]?.text, let atEnd = after[name] else { continue }
      let counted = try #require(record["count"]?.integer)
      let inside = ended[name, default: 0] - began[name, default: 0]
      // One may be under way at each end.
      #expect(counted >= inside * 99 / 100 - 2 && counted <= atEnd - before[name, default: 0] + 2, "\(name)")
      let time = Duration.microseconds(try #require(record["total_us"]?.integer))
      #expect(time >= .zero && time < (ContinuousClock.now - start) * sysconf(Int32(_SC_NPROCESSORS_ONLN)), "\(name)")
      if inside > 0 { compared += 1 }
    }
    return compared
  }

  @Test func softirqs() throws {
    #expect(
      try compare("softirqs", with: "/proc/softirqs", named: false) { try start(Self.workload, "udp", "1000") } > 0)
  }

  @Test func softirqsAsHistograms() throws {
    let values = try self.values(try trace(["softirqs", "-d"], of: HeldWorkload("udp", "1000")))
    let received = try total(values.first { $0.key == [.text("net_rx")] }?.value)
    #expect(received >= 900, "\(values)")
  }

  @Test func hardirqs() throws {
    let directory = try TemporaryDirectory()
    let file = try directory.write("read", String(repeating: "x", count: 4096 * 64))
    let compared = try compare("hardirqs", with: "/proc/interrupts", named: true) {
      // What interrupts depends on the machine: its disk, or how a virtual one reaches its files.
      try start("/bin/sh", "-c", "exec 2>/dev/null; dd if=\(file) of=/dev/null bs=4k iflag=direct; ls /nonexistent-$$")
    }
    #expect(compared > 0)
  }
}
