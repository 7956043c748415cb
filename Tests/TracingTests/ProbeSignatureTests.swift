import KernelTestSupport
import Support
import Testing
import Tracing

/// What probes hand over, as listings show it.
@Suite(.requires(.root, .typeInformation))
struct ProbeSignatureTests {
  @Test(arguments: [
    ("tracepoint:syscalls:sys_enter_openat", "args.filename", "const char * (user)"),
    ("tracepoint:sched:sched_switch", "args.next_comm", "text"),
    ("tracepoint:sched:sched_switch", "args.next_pid", "int32"),
    ("tracepoint:timer:hrtimer_expire_entry", "args[\"function\"]", "void *"),
    ("rawtracepoint:sched_switch", "args.next", "struct task_struct *"),
    ("rawtracepoint:sched_switch", "args.preempt", "boolean"),
    ("kprobe:vfs_read", "args.file", "struct file *"),
    ("fexit:vfs_read", "retval", "int64"),
    ("iter:task", "args.task", "struct task_struct *"),
    ("uprobe:libc:malloc", "arg0", "int64"),
    ("uretprobe:libc:malloc", "retval", "int64"),
    ("software:page-faults", "args.addr", "uint64"),
  ])
  func valuesHaveTheirTypes(_ spec: String, _ name: String, _ type: String) throws {
    let values = try ProbeSignature(spec).values
    #expect(values.first { $0.name == name }?.type == type, "\(values)")
  }

  @Test func whatIsNotThereIsAnError() {
    #expect(throws: MoontraceError.self) { try ProbeSignature("tracepoint:sched:nothing") }
  }
}
