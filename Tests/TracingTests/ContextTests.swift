import BPFAssembly
import BTF
import Glibc
import KernelLoader
import KernelTestSupport
import ProbeCompiler
import Support
import Testing

@testable import Tracing

/// What this kernel hands over, held against what is known of it.
@Suite(.requires(.root)) struct ContextTests {
  private func context(_ spec: String) throws -> ProbeContext {
    let sites = try ProbeSite.sites(of: AttachSpec(spec))
    #expect(sites.count == 1)
    return sites[0].context
  }

  private func spelling(_ argument: ProbeContext.Argument?) throws -> String {
    guard case .kernelPointer(let type)? = argument?.type else { return "no kernel pointer" }
    return type == 0 ? "void" : try KernelTypes.graph().spelling(of: type)
  }

  @Test func systemCalls() throws {
    let enter = try context("t:syscalls:sys_enter_openat")
    #expect(enter.spec == "tracepoint:syscalls:sys_enter_openat" && enter.kind == .tracepoint)
    #expect(enter.arguments.prefix(5).map(\.name) == ["__syscall_nr", "dfd", "filename", "flags", "mode"])
    #expect(
      enter.arguments.prefix(5).map(\.source) == [
        .word(offset: 8, width: .word, signed: true), .word(offset: 16, width: .word, signed: true),
        .word(offset: 24, width: .double, signed: false), .word(offset: 32, width: .word, signed: true),
        .word(offset: 40, width: .half, signed: false),
      ])
    #expect(enter.arguments[2].type == .userPointer(to: "const char *"))
    let exit = try context("t:syscalls:sys_exit_openat")
    #expect(exit.arguments.last?.name == "ret")
    #expect(exit.arguments.last?.source == .word(offset: 16, width: .double, signed: true))
    #expect(try context("t:raw_syscalls:sys_enter").positional.count == 6)
  }

  @Test func schedulerEvents() throws {
    let arguments = try context("t:sched:sched_switch").arguments
    #expect(
      arguments.map(\.name) == [
        "prev_comm", "prev_pid", "prev_prio", "prev_state", "next_comm", "next_pid", "next_prio",
      ])
    #expect(arguments[0].source == .bytes(offset: 8, size: 16) && arguments[0].type == .text)
    #expect(arguments[1].source == .word(offset: 24, width: .word, signed: true))
    let exec = try context("t:sched:sched_process_exec").arguments
    #expect(exec.first?.source == .location(offset: 8) && exec.first?.name == "filename")
  }

  @Test func rawTracepoints() throws {
    let context = try context("rt:sched_switch")
    #expect(context.kind == .rawTracepoint)
    #expect(context.arguments.map(\.name) == ["preempt", "prev", "next", "prev_state"])
    #expect(context.arguments[0].type == .boolean)
    #expect(context.arguments[0].source == .word(offset: 0, width: .byte, signed: false))
    #expect(try spelling(context.arguments[1]) == "struct task_struct")
    #expect(context.arguments[3].source == .word(offset: 24, width: .word, signed: false))
    #expect(context.positional.count == 4)
  }

  @Test func pointersOfEvents() throws {
    let socket = try context("t:sock:inet_sock_set_state").arguments
    #expect(try spelling(socket.first { $0.name == "skaddr" }) == "void")
    #expect(socket.first { $0.name == "saddr" }?.source == .bytes(offset: 32, size: 4))
    #expect(try KernelTypes.graph().spelling(of: KernelPointee.find("const struct sock *")) == "struct sock")
    #expect(try KernelTypes.graph().spelling(of: KernelPointee.find("const char *")) == "char")
    #expect(try KernelPointee.find("struct no_such_struct *") == 0)
    #expect(try KernelPointee.find("char **") == 0)
  }

  @Test func iterators() throws {
    let task = try context("it:task")
    #expect(task.kind == .iterator && task.arguments.map(\.name) == ["meta", "task"])
    #expect(try spelling(task.arguments[1]) == "struct task_struct")
    let files = try context("iter:task_file")
    #expect(files.arguments.map(\.name) == ["meta", "task", "fd", "file"])
    #expect(files.arguments[2].source == .word(offset: 16, width: .word, signed: false))
    #expect(try spelling(files.arguments[3]) == "struct file")
  }

  @Test func clocksAndCounters() throws {
    #expect(try context("profile:99").arguments.map(\.name) == ["sample_period"])
    #expect(try context("interval:1").kind == .perfEvent)
    let faults = try context("software:page-faults:1")
    #expect(faults.arguments.map(\.name) == ["sample_period", "addr"])
    #expect(faults.arguments[1].source == .word(offset: 176, width: .double, signed: false))
  }

  @Test func userProbes() throws {
    let entry = try context("u:libc:malloc")
    #expect(entry.kind == .userProbe && entry.function == "malloc" && entry.positional.count == 6)
    #expect(try context("u:libc:malloc+4").positional.isEmpty)
    let exit = try context("ur:libc:malloc")
    #expect(exit.kind == .userReturn && exit.positional.isEmpty && exit.result?.type == .integer)
  }

  @Test func placesThatAreNotThere() throws {
    func message(_ spec: String) throws -> String { try failure { _ = try context(spec) }.message }
    #expect(try message("t:syscalls:sys_enter_openatt").contains("did you mean 'sys_enter_openat'?"))
    #expect(try message("t:shed:sched_switch").contains("did you mean 'sched'?"))
    #expect(try message("rt:sched_swich").contains("did you mean 'sched_switch'?"))
    #expect(try message("iter:tesk").contains("did you mean 'task'?"))
    #expect(try message("xdp:lo").contains("can't be attached to xdp:lo"))
    #expect(try message("t:../..:x").contains("no tracepoint category"))
    #expect(try message("usdt:libc:libc:nope").contains("USDT"))
    if !KernelFeatures.kprobes.isAvailable {
      #expect(try failure { _ = try context("k:vfs_read") }.code == .unsupported)
      #expect(try failure { _ = try context("k:vfs_*") }.code == .unsupported)
    }
    if !KernelFeatures.fentry.isAvailable { #expect(try message("f:vfs_read").contains("fentry")) }
  }

  @Test func manyPlacesInOneProgram() throws {
    let sites = try ProbeSite.sites(of: AttachSpec("t:syscalls:sys_exit_open*"))
    let shared = try #require(ProbeSite.shared(by: sites, spec: "tracepoint:syscalls:sys_exit_open*"))
    #expect(shared.targets.count == sites.count && sites.count >= 3)
    #expect(shared.context.arguments.map(\.name) == ["__syscall_nr", "ret"])
    let mixed = try ProbeSite.sites(of: AttachSpec("t:sched:sched_switch")) + sites
    #expect(ProbeSite.shared(by: mixed, spec: "x")?.context.arguments.isEmpty == true)
  }
}
