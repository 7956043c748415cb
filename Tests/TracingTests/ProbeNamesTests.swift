import KernelTestSupport
import Support
import Testing
import Tracing

/// What completion offers of the running kernel.
@Suite(.requires(.root, .typeInformation)) struct ProbeNamesTests {
  private let names = ProbeNames()

  @Test func specsGoOnPartByPart() {
    #expect(names.parts(after: "trac") == ["tracepoint:"])
    #expect(names.parts(after: "tracepoint:sche") == ["sched:"])
    #expect(names.parts(after: "t:sched:sched_switc") == ["sched_switch"])
    #expect(names.parts(after: "rawtracepoint:sched_switc") == ["sched_switch"])
    #expect(names.parts(after: "software:page-f") == ["page-faults"])
    #expect(names.parts(after: "t:nosuch:x") == [])
    #expect(names.parts(after: "nonsense:x") == [])
  }

  @Test func programsAndLibraries() {
    #expect(names.parts(after: "uprobe:lib").contains("libc:"))
    #expect(names.parts(after: "u:libc.so") == ["libc.so.6:"])
    #expect(names.parts(after: "uretprobe:sle").contains("sleep:"))
    #expect(names.parts(after: "usdt:/bin/slee") == ["/bin/sleep:"])
    #expect(names.parts(after: "uprobe:/us") == ["/usr/"])
    #expect(names.parts(after: "uprobe:/etc/pass") == [], "what is no program has no functions")
    #expect(names.parts(after: "uprobe:libc:mallo").contains("malloc"))
    #expect(names.parts(after: "uretprobe:no-such-library:x") == [])
  }

  @Test func probesOfPrograms() {
    #expect(names.parts(after: "usdt:libstdc++:lib") == ["libstdcxx:"])
    #expect(names.parts(after: "usdt:libstdc++:libstdcxx:ca") == ["catch"])
    #expect(names.parts(after: "usdt:no-such-library:x") == [])
  }

  @Test func argumentsAndWhatLiesBehindThem() {
    #expect(names.arguments(of: "t:sched:sched_switch").contains("prev_comm"))
    #expect(names.members(of: ["args"], spec: "t:sched:sched_switch").contains("next_pid"))
    #expect(names.members(of: ["args", "prev", "real_parent"], spec: "rawtracepoint:sched_switch").contains("tgid"))
    #expect(names.members(of: ["curtask", "se"], spec: nil).contains("vruntime"))
    #expect(names.members(of: ["args", "nothing"], spec: "t:sched:sched_switch") == [])
    #expect(names.members(of: ["args"], spec: nil) == [])
  }

  @Test func placesAndTypes() throws {
    #expect(try names.places(matching: "sched_switch").contains("tracepoint:sched:sched_switch"))
    #expect(try names.places(matching: "t:sched:").contains("tracepoint:sched:sched_wakeup"))
    #expect(names.types(after: "task_struc").first == "task_struct")
    #expect(try names.definition(of: "list_head") == names.definition(of: "struct list_head"))
    let error = #expect(throws: MoontraceError.self) { try names.definition(of: "task_strukt") }
    #expect(error?.message == "the kernel has no type 'task_strukt' (did you mean 'task_struct'?)")
  }
}
