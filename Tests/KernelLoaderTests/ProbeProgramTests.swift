import BPFAssembly
import CLibbpf
import Glibc
import KernelTestSupport
import Support
import Testing

@testable import KernelLoader

/// Programs assembled in this process go the way of objects.
@Suite(.requires(.root)) struct ProbeProgramTests {
  private static let map = MapReference(id: 3)

  /// Adds to a counter on the calling thread's events; the sum 0+1+…+9 by `bpf_loop` and a callback.
  private static func counting() throws -> AssembledProgram {
    var assembler = Assembler(name: "counting")
    let (end, callback) = (assembler.newLabel(), assembler.newLabel())
    assembler.place = 1
    assembler.call(.getCurrentPidTgid)
    assembler.jump(if: .ne, .r0, .immediate(thisThread()), to: end, .bits32)
    assembler.place = 2
    assembler.store(.double, .frame, -8, 0)
    assembler.loadImmediate(.r1, 10)
    assembler.loadSubprogramAddress(.r2, callback)
    assembler.move(.r3, .frame)
    assembler.alu(.add, .r3, -8)
    assembler.loadImmediate(.r4, 0)
    assembler.call(.loop)
    assembler.load(.r1, .double, .frame, -8)
    assembler.loadMapValue(.r2, map, offset: 8)
    assembler.atomic(.add, .r2, 0, .r1)
    assembler.bind(end)
    assembler.loadImmediate(.r0, 0)
    assembler.exit()
    assembler.bind(callback)
    assembler.place = 3
    assembler.load(.r3, .double, .r2, 0)
    assembler.alu(.add, .r3, .r1)
    assembler.store(.double, .r2, 0, .r3)
    assembler.loadImmediate(.r0, 0)
    assembler.exit()
    return try assembler.finish()
  }

  private static let lines = (10...12).map {
    ProbeProgram.SourceLine(file: "script.lua", line: $0, text: "  text of line \($0)")
  }

  private func probe(_ spec: String, _ value: MappedValue) throws -> ProbeProgram {
    ProbeProgram(
      targets: [try AttachSpec(spec)], location: "script.lua:9", program: try Self.counting(), lines: Self.lines,
      descriptor: { $0 == Self.map ? value.descriptor : -1 })
  }

  @Test func callbacksMapsAndSourceLines() throws {
    let value = try MappedValue(name: "sum", size: 16)
    let specs = ["t:syscalls:sys_enter_getppid", "rt:sys_exit", "software:page-faults:1"]
    let object = try BPFObject(programs: specs.map { try probe($0, value) }, name: "script.lua")
    try object.whileLoaded {
      let attachment = try object.attach(probe: 0)
      #expect(attachment.links.map(\.target) == ["tracepoint:syscalls:sys_enter_getppid"] && attachment.refused.isEmpty)
      for _ in 0..<5 { _ = getppid() }
      #expect(value.counter(1) == 5 * 45)
      let program = try #require(object.programs(ofProbe: 0).first)
      #expect(program.type == .tracepoint && program.helperIDs == [14, 181])
      var info = bpf_prog_info()
      var length = UInt32(MemoryLayout<bpf_prog_info>.size)
      try #require(bpf_obj_get_info_by_fd(program.descriptor, &info, &length) == 0)
      #expect(info.nr_func_info == 2 && info.nr_line_info == 3)
      let types = Set(object.programs.map(\.type))
      #expect(types == [.tracepoint, .rawTracepoint, .perfEvent])
    }
  }

  @Test func statistics() throws {
    let value = try MappedValue(name: "sum", size: 16)
    let object = try BPFObject(programs: [probe("t:syscalls:sys_enter_getppid", value)], name: "script.lua")
    try object.whileLoaded {
      let collection = try StatisticsCollection()
      let links = try object.attach(probe: 0).links
      for _ in 0..<3 { _ = getppid() }
      #expect(try object.programs[0].statistics().runCount >= 3)
      withExtendedLifetime(links) {}
      _ = consume collection
    }
  }

  /// Writes to r1, which is dead, and then goes on with it.
  @Test func rejectionsNameTheLine() throws {
    var assembler = Assembler(name: "wrong")
    assembler.place = 1
    assembler.loadImmediate(.r0, 0)
    assembler.place = 2
    assembler.load(.r0, .double, .r0, 0)
    assembler.place = 3
    assembler.exit()
    let probe = ProbeProgram(
      targets: [try AttachSpec("t:sched:sched_switch")], location: "script.lua:9", program: try assembler.finish(),
      lines: Self.lines)
    let object = try BPFObject(programs: [probe], name: "script.lua")
    let error = try failure { try object.load() }
    #expect(error.location == "script.lua:11")
    #expect(error.message.hasPrefix("probe 'tracepoint:sched:sched_switch': the verifier rejects"))
    #expect(error.message.contains("R0 invalid mem access"))
    #expect(error.remedy?.contains("bug of Moontrace") == true)
    #expect(error.detail?.contains("; text of line 11") == true)
  }

  @Test func refusedTargets() throws {
    let value = try MappedValue(name: "sum", size: 16)
    var probe = try probe("t:syscalls:sys_enter_getppid", value)
    probe.targets.append(try AttachSpec("t:syscalls:sys_enter_getppi"))
    let object = try BPFObject(programs: [probe], name: "script.lua")
    try object.whileLoaded {
      let attachment = try object.attach(probe: 0)
      #expect(attachment.links.count == 1 && attachment.refused.count == 1)
      #expect(attachment.refused[0].location == "script.lua:9")
      #expect(attachment.refused[0].message.contains("did you mean 'sys_enter_getppid'?"))
    }
    let network = try failure { _ = try BPFObject(programs: [self.probe("xdp:lo", value)], name: "script.lua") }
    #expect(network.description == "script.lua:9: 'xdp:lo' is no place for a probe")
    let iterator = try failure { _ = try BPFObject(programs: [self.probe("iter:tasc", value)], name: "script.lua") }
    #expect(iterator.description.hasPrefix("script.lua:9: probe 'iter:tasc': this kernel has no 'tasc'"))
  }

  @Test func namesOfPrograms() throws {
    let value = try MappedValue(name: "sum", size: 16)
    let specs = ["uprobe:/bin/sh:0x10", "profile:99", "t:sched:sched_process_exec", "interval:0.5"]
    let object = try BPFObject(programs: specs.map { try probe($0, value) }, name: "script.lua")
    #expect(object.programs.map(\.name) == ["uprobe_0", "profile_1", "sched_process_2", "interval_3"])
  }
}
