import Glibc
import KernelTestSupport
import Support
import Testing

/// The recipes that watch functions which the user names: of the workload, and of the kernel.
extension RecipeTests {
  private static let function = "\(workload):workload_function"
  private static let slowFunction = "\(workload):workload_nap"
  /// A function of the kernel whose second argument is the new length: from 0 on in the workload's task.
  private static let kernelFunction = "vfs_truncate"

  private func counts(_ records: [JSON]) throws -> [[JSON]: JSON] {
    Dictionary(try values(records).map { ($0.key, $0.value) }) { $1 }
  }

  // MARK: argdist

  @Test func argdist() throws {
    let values = try self.values(try trace(["argdist", Self.function, "-p", "%"], of: HeldWorkload("call", "25")))
    let ranges = try self.ranges(values.first?.value)
    #expect(ranges.map(\.min) == [0, 1, 2, 4, 8, 16])
    #expect(ranges.map(\.count) == [1, 1, 2, 4, 8, 9])
  }

  @Test func argdistOfResults() throws {
    let options = ["argdist", "-r", "-C", "-T", "1000", Self.function, "-p", "%"]
    let counts = try self.counts(try trace(options, of: HeldWorkload("call", "25")))
    #expect(counts == Dictionary(uniqueKeysWithValues: (4..<29).map { ([.integer($0)], .integer(1)) }))
    let slow = ["argdist", "-C", Self.slowFunction, "-p", "%"]
    #expect(try self.counts(try trace(slow, of: HeldWorkload("nap", "3", "2"))) == [[.integer(2)]: .integer(3)])
  }

  @Test func argdistOfAnotherArgument() throws {
    // The second argument is a text, at one address.
    let options = ["argdist", "-C", "-a", "1", Self.function, "-p", "%"]
    #expect(try self.counts(try trace(options, of: HeldWorkload("call", "25"))).values.map(\.integer) == [25])
  }

  @Test(.requires(.kprobes)) func argdistInTheKernel() throws {
    let arguments = ["argdist", "-a", "1", "-C", "-T", "1000", "-p", "%", Self.kernelFunction]
    let lengths = try self.counts(try trace(arguments, of: HeldWorkload("truncate", "25")))
    #expect(lengths == Dictionary(uniqueKeysWithValues: (0..<25).map { ([.integer($0)], .integer(1)) }))
    let results = ["argdist", "-r", "-p", "%", Self.kernelFunction]
    let values = try self.values(try trace(results, of: HeldWorkload("truncate", "25")))
    #expect(try ranges(values.first?.value).map { [$0.min, $0.max, $0.count] } == [[0, 0, 25]])
  }

  // MARK: funccount

  @Test(arguments: ["\(workload):workload_func*", "uprobe:\(workload):workload_function"])
  func funccount(target: String) throws {
    let counts = try self.counts(try trace(["funccount", target, "-p", "%"], of: HeldWorkload("call", "25")))
    #expect(counts == [[.text("workload_function")]: .integer(25)])
  }

  @Test func funccountOfTracepoints() throws {
    let options = ["funccount", "t:syscalls:sys_enter_getpp*", "-p", "%"]
    let counts = try self.counts(try trace(options, of: HeldWorkload("getppid", "25")))
    #expect(counts == [[.text("tracepoint:syscalls:sys_enter_getppid")]: .integer(25)])
  }

  @Test(.requires(.kprobes)) func funccountInTheKernel() throws {
    let options = ["funccount", "vfs_trunc*", "-p", "%"]
    let counts = try self.counts(try trace(options, of: HeldWorkload("truncate", "25")))
    #expect(counts == [[.text(Self.kernelFunction)]: .integer(25)])
  }

  // MARK: funclatency

  @Test func funclatency() throws {
    let start = ContinuousClock.now
    let options = ["funclatency", "-m", Self.slowFunction, "-p", "%"]
    let values = try self.values(try trace(options, of: HeldWorkload("nap", "20", "3")))
    let ranges = try self.ranges(values.first?.value)
    #expect(ranges.reduce(0) { $0 + $1.count } == 20)
    #expect(ranges.first?.min ?? 0 >= 2, "none took less than 3 ms")
    #expect(.milliseconds(ranges.reduce(0) { $0 + $1.min * $1.count }) < ContinuousClock.now - start)
  }

  @Test func funclatencyUnits() throws {
    for (option, least) in [("-u", 2048), ("", 2_097_152)] as [(String, Int64)] {
      let options = ["funclatency", Self.slowFunction, "-p", "%"] + (option.isEmpty ? [] : [option])
      let ranges = try self.ranges(try values(try trace(options, of: HeldWorkload("nap", "2", "3"))).first?.value)
      #expect(ranges.reduce(0) { $0 + $1.count } == 2 && ranges.first?.min ?? 0 >= least, "\(ranges)")
    }
  }

  @Test(.requires(.kprobes)) func funclatencyInTheKernel() throws {
    let records = try trace(["funclatency", "-p", "%", Self.kernelFunction], of: HeldWorkload("truncate", "25"))
    #expect(try total(try values(records).first?.value) == 25)
  }

  // MARK: stackcount

  @Test func stackcount() throws {
    let values = try self.values(try trace(["stackcount", Self.function, "-p", "%"], of: HeldWorkload("call", "25")))
    try #require(values.count == 1)
    #expect(values[0].value == .integer(25))
    let frames = try #require(values[0].key.first?.text).split(separator: "\n")
    #expect(frames.first == "workload_function")
    #expect(frames.contains { $0.hasPrefix("call+") } && frames.contains { $0.hasPrefix("main+") })
  }

  @Test func stackcountOfTracepoints() throws {
    // Of its three signals. (Kernels before 6.10 have no kernel stacks where a system call begins.)
    let load = try HeldWorkload("signals")
    let kernel = try values(try trace(["stackcount", "-P", "-p", "%", "t:signal:signal_generate"], of: load))
    #expect(kernel.reduce(0) { $0 + ($1.value.integer ?? 0) } == 3)
    for key in kernel.map(\.key) {
      #expect(key.count == 3 && key[0] == load.id && key[1] == .text("workload"))
      #expect(key.last?.text?.contains("\ndo_syscall_64+") == true, "\(key)")
    }
    let options = ["stackcount", "-U", "-p", "%", "t:syscalls:sys_enter_getppid"]
    let user = try values(try trace(options, of: HeldWorkload("getppid", "25")))
    #expect(user.map(\.value) == [.integer(25)])
    #expect(user.first?.key.first?.text?.contains("\nmain+") == true)
  }

  @Test(.requires(.kprobes)) func stackcountInTheKernel() throws {
    let records = try trace(["stackcount", "-p", "%", Self.kernelFunction], of: HeldWorkload("truncate", "25"))
    let values = try self.values(records)
    #expect(values.reduce(0) { $0 + ($1.value.integer ?? 0) } == 25)
    for stack in values.map({ $0.key.first?.text ?? "" }) {
      #expect(stack.hasPrefix(Self.kernelFunction) && stack.contains("\ndo_syscall_64+"), "\(stack)")
    }
  }

  // MARK: trace-func

  @Test func tracefunc() throws {
    let load = try HeldWorkload("nap", "3", "4")
    let records = try trace(["trace-func", Self.slowFunction, "-p", "%"], of: load)
    #expect(records.count == 3)
    for record in records {
      #expect(record["pid"] == load.id && record["tid"] == load.id && record["comm"] == .text("workload"))
      #expect(record["arg0"] == .integer(4) && record["ret"] == .integer(8))
      #expect((4000..<60_000_000).contains(record["lat_us"]?.integer ?? -1))
    }
    let slow = ["trace-func", "-m", "60000000", Self.slowFunction, "-p", "%"]
    #expect(try trace(slow, of: HeldWorkload("nap", "3", "4")) == [])
  }

  @Test func tracefuncWithText() throws {
    let records = try trace(["trace-func", "-s", "1", Self.function, "-p", "%"], of: HeldWorkload("call", "25"))
    #expect(records.map { $0["ret"]?.integer } == (0..<25).map { $0 + 4 })
    #expect(records.allSatisfy { $0["text"] == .text("text") })
  }

  @Test(.requires(.kprobes)) func tracefuncInTheKernel() throws {
    let load = try HeldWorkload("truncate", "25")
    let records = try trace(["trace-func", "-p", "%", Self.kernelFunction], of: load)
    #expect(records.map { $0["arg1"]?.integer } == Array(0..<25))
    #expect(records.allSatisfy { $0["ret"] == .integer(0) && $0["pid"] == load.id })
  }
}
