import BTF
import FileTestSupport
import Glibc
import KernelTestSupport
import Packages
import Support
import Testing

/// Kernels that tell no types of their own: in a mount namespace where there are none, with the types from elsewhere.
@Suite(.requires(.root, .clang, .typeInformation, .ringBuffers)) struct ForeignTypesTests {
  /// Keeps the calls of other tests' processes out.
  private static let isCaller = """
    const volatile char caller[16];
    static __always_inline int is_caller(void) {
      char comm[16] = {};
      bpf_get_current_comm(comm, sizeof comm);
      for (int i = 0; i < 16 && comm[i] == caller[i]; i++)
        if (!comm[i]) return 1;
      return 0;
    }
    """

  private static let source = """
    #include "vmlinux.h"
    #include <bpf/bpf_core_read.h>
    #include <bpf/bpf_helpers.h>
    struct event { u32 pid; };
    \(isCaller)
    struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } events SEC(".maps");
    SEC("tracepoint/syscalls/sys_enter_getppid") int on_call(void *ctx) {
      if (!is_caller()) return 0;
      struct task_struct *task = (void *)bpf_get_current_task();
      struct event event = {.pid = BPF_CORE_READ(task, group_leader, tgid)};
      bpf_ringbuf_output(&events, &event, sizeof event, 0);
      return 0;
    }
    char LICENSE[] SEC("license") = "GPL";
    """

  let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory()
    _ = try directory.write("core.bpf.c", Self.source)
  }

  private func build(_ options: String...) throws {
    let run = try MoontraceProcess(["build", directory.path("core.bpf.c")] + options).wait()
    try #require(run.status == 0, "\(run.errors)")
  }

  /// A copy of this kernel's types, by its name in the directory.
  private func types(_ name: String = "kernel.btf") throws -> String {
    let path = directory.path(name)
    let parent = path[..<(path.lastIndex(of: "/") ?? path.endIndex)]
    let copied = try runShell("mkdir -p \(parent) && cat /sys/kernel/btf/vmlinux >\(path)")
    try #require(copied.status == 0, "\(copied.errors)")
    return path
  }

  /// Runs a command where the kernel has no types; `$0` is the executable.
  private func withoutTypes(_ command: String) throws -> MoontraceProcess.Finished {
    try runShell(
      "exec unshare -m sh -c 'mount -t tmpfs none /sys/kernel/btf || exit 9; cd \(directory.name); \(command)' \"$0\"")
  }

  /// Whether a run sees the call of a command of its own.
  private func sees(_ target: String, _ variables: String = "") throws -> Bool {
    let workload = try Workload()
    let run = try withoutTypes(
      "\(variables) \"$0\" run -q -f json -c \"\(workload.path) getppid 1 >/dev/null\" \(target) "
        + "--caller \(workload.name)")
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    return run.lines.contains { $0.hasPrefix("{\"pid\":") && $0 != "{\"pid\":0}" }
  }

  private static let system: SystemIdentity = {
    let release = (try? readFile("/etc/os-release")) ?? []
    var system = utsname()
    uname(&system)
    func text(_ bytes: UnsafeRawBufferPointer) -> String { String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }
    return SystemIdentity(
      osRelease: String(decoding: release, as: UTF8.self), architecture: withUnsafeBytes(of: system.machine, text),
      release: withUnsafeBytes(of: system.release, text)
    )
  }()

  private static let archived = system.archivePath

  // MARK: C programs

  @Test func nothingIsKnown() throws {
    try build()
    for target in ["package.json", "core.bpf.o"] {
      let run = try withoutTypes("\"$0\" run -d 1 \(target)")
      #expect(
        run.status == 4
          && run.errors
            == "\(target): this kernel has no BTF type information (CONFIG_DEBUG_INFO_BTF is off), which the object is to "
            + "be fitted to (name a file with this kernel's types in BTF_FILE_PATH, or run an archive that brings them "
            + "along (moontrace build --tar))\n",
        "\(run.errors)")
    }
  }

  @Test func aFileOfTypes() throws {
    try build()
    let file = try types()
    for target in ["package.json", "core.bpf.o", "core.bpf.c"] {
      #expect(try sees(target, "BTF_FILE_PATH=\(file)"), "\(target)")
    }
    // Its headers come from there too.
    let built = try withoutTypes("XDG_CACHE_HOME=$PWD/cache BTF_FILE_PATH=\(file) \"$0\" build core.bpf.c -o made/")
    #expect(built.status == 0 && built.errors == "" && built.lines.count == 3, "\(built.errors)")
  }

  @Test func filesThatAreNone() throws {
    try build()
    _ = try directory.write("text", "no types")
    for (path, cause) in [("/no/such", "No such file or directory"), ("text", "it is no BTF")] {
      let run = try withoutTypes("BTF_FILE_PATH=\(path) \"$0\" run -d 1 package.json")
      #expect(
        run.status == 2
          && run.errors.hasPrefix("package.json: the kernel's types in '\(path)' can't be read: \(cause)"),
        "\(run.status) \(run.errors)")
      let script = try withoutTypes("BTF_FILE_PATH=\(path) \"$0\" run -d 1 opensnoop")
      #expect(script.status != 0 && script.errors.contains("BTF_FILE_PATH: "), "\(script.errors)")
    }
  }

  /// With the types that `build --tar` packs: what the program needs of them.
  @Test func anArchive() throws {
    let whole = try types(Self.archived.replacing("btfhub-archive/", with: "archive/"))
    try build("-q", "--tar", "--btf", directory.path("archive"))
    let packed = try TarPackage(readFile(directory.path("core.tar")), name: "core.tar").kernels.first?.btf.count ?? 0
    #expect(try packed > 0 && packed < readFile(whole).count / 1000)
    #expect(try sees("core.tar"))
  }

  /// Relocations of all kinds, resolved by reduced types as by whole ones.
  private static let relocations = """
    #include "vmlinux.h"
    #include <bpf/bpf_core_read.h>
    #include <bpf/bpf_helpers.h>
    struct sk_buff___other { unsigned int len; } __attribute__((preserve_access_index));
    struct task_struct___none { int no_such_member; } __attribute__((preserve_access_index));
    struct no_such_type { int x; } __attribute__((preserve_access_index));
    typedef void (*btf_trace_sched_switch)(void *, bool, struct task_struct *, struct task_struct *, unsigned int);
    RING
    CALLER
    SEC("tracepoint/syscalls/sys_enter_getppid") int on_call(void *ctx) {
      if (!is_caller()) return 0;
      struct task_struct *task = (void *)bpf_get_current_task();
      struct sk_buff *buffer = 0;
      struct iphdr *header = 0;
      struct sock *socket = 0;
      struct cgroup *group = 0;
      u64 values[] = {
        bpf_core_field_offset(task->comm), bpf_core_field_size(task->comm), bpf_core_field_offset(task->comm[3]),
        bpf_core_field_offset(socket->__sk_common.skc_daddr), bpf_core_field_offset(socket->__sk_common.skc_dport),
        bpf_core_field_offset(((struct sk_buff___other *)buffer)->len), bpf_core_field_offset(buffer->next),
        bpf_core_field_exists(((struct task_struct___none *)task)->no_such_member), bpf_core_type_exists(struct no_such_type),
        bpf_core_type_exists(struct task_struct), bpf_core_type_size(struct task_struct), bpf_core_type_size(pid_t),
        bpf_core_type_exists(btf_trace_sched_switch), bpf_core_enum_value(enum pid_type, PIDTYPE_SID),
        bpf_core_enum_value_exists(enum pid_type, PIDTYPE_MAX), bpf_core_field_exists(header->ihl),
        BPF_CORE_READ_BITFIELD_PROBED(task, in_execve), bpf_core_field_offset(task->se.avg.load_avg),
        bpf_core_field_offset(task->thread_pid), bpf_core_field_offset(group->kn), __builtin_preserve_field_info(header->ihl, 4),
      };
      bpf_ringbuf_output(&events, values, sizeof values, 0);
      return 0;
    }
    char LICENSE[] SEC("license") = "GPL";
    """.replacing(
      "RING",
      with: "struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } events SEC(\".maps\");"
    ).replacing("CALLER", with: isCaller)

  @Test func reducedTypesSayTheSame() throws {
    _ = try directory.write("core.bpf.c", Self.relocations)
    _ = try types(Self.archived.replacing("btfhub-archive/", with: "archive/"))
    try build("-q", "--tar", "--btf", directory.path("archive"))
    let workload = try Workload()
    let command =
      "\"$0\" run -q -f json -c \"\(workload.path) getppid 1 >/dev/null\" core.tar --caller \(workload.name)"
    let whole = try runShell("cd \(directory.name); \(command)")
    let reduced = try withoutTypes(command)
    #expect(whole.status == 0 && reduced.status == 0, "\(whole.errors) \(reduced.errors)")
    #expect(whole.lines.count == 1 && whole.output.hasPrefix("{\"value\":["), "\(whole.output)")
    #expect(reduced.output == whole.output)
  }

  @Test func anArchiveWithout() throws {
    let other = "ubuntu/20.04/x86_64/5.4.0-42-generic.btf"
    _ = try types("archive/\(other)")
    try build("-q", "--tar", "--btf", directory.path("archive"))
    let run = try withoutTypes("\"$0\" run -d 1 core.tar")
    #expect(run.status == 4)
    #expect(
      run.errors.contains("(the archive has no \(Self.archived), but btfhub-archive/\(other); name a file"),
      "\(run.errors)")
    #expect(try sees("core.tar", "BTF_FILE_PATH=\(try types())"))
  }

  @Test func anArchiveOfDamagedTypes() throws {
    try build()
    let package = try Package(readFile(directory.path("package.json")), .json, name: "package.json")
    let tar = try TarPackage(package: package, kernels: [ArchivedTypes(system: Self.system, btf: [1, 2, 3])]).bytes()
    try writeFile(directory.path("x.tar"), tar)
    let run = try withoutTypes("\"$0\" run -d 1 x.tar")
    #expect(run.status == 1 && run.errors.hasPrefix("x.tar(\(Self.archived)): "), "\(run.errors)")
  }

  @Test func programsThatNeedNone() throws {
    let plain = Self.source.replacing(
      "#include \"vmlinux.h\"\n#include <bpf/bpf_core_read.h>", with: "#include <linux/bpf.h>"
    )
    .replacing("struct task_struct *task = (void *)bpf_get_current_task();", with: "")
    .replacing("BPF_CORE_READ(task, group_leader, tgid)", with: "bpf_get_current_pid_tgid() >> 32")
    .replacing("u32 ", with: "__u32 ")
    _ = try directory.write("core.bpf.c", plain)
    try build()
    for variables in ["", "BTF_FILE_PATH=/no/such"] { #expect(try sees("package.json", variables)) }
    // Not even to compile it; one that includes vmlinux.h does.
    #expect(try sees("core.bpf.c"))
    _ = try directory.write("core.bpf.c", Self.source)
    let run = try withoutTypes("\"$0\" run core.bpf.c")
    #expect(
      run.status == 4 && run.errors.hasPrefix("vmlinux.h can't be made: this kernel has no BTF type information (name"),
      "\(run.errors)")
  }

  /// Some kinds of programs take the kernel's own types, which no file stands for.
  @Test func programsThatNeedTheKernelsOwn() throws {
    let program = Self.source.replacing("tracepoint/syscalls/sys_enter_getppid", with: "tp_btf/sys_enter")
    _ = try directory.write("core.bpf.c", program)
    try build()
    let run = try withoutTypes("BTF_FILE_PATH=\(try types()) \"$0\" run -d 1 package.json")
    #expect(run.status == 4)
    #expect(
      run.errors.hasPrefix("package.json: program 'on_call': this kernel has no BTF type information")
        && run.errors.contains("by which tp_btf/sys_enter is attached (use a kernel with CONFIG_DEBUG_INFO_BTF=y"),
      "\(run.errors)")
  }

  // MARK: Probes, and what doctor says

  @Test func probesInLua() throws {
    // What needs no types runs; what does says so, and runs with a file of them.
    let plain = "\"$0\" -q -f json -d 60 -c \"\(MoontraceProcess.workload) getppid 1 >/dev/null\" -e"
    let call = "\"probe([[t:syscalls:sys_enter_getppid]], function() return { id = pid } end)\""
    let run = try withoutTypes("\(plain) \(call)")
    #expect(run.status == 0 && run.output.contains("{\"id\":"), "\(run.errors)")
    let raw = "\"probe([[rawtracepoint:sched_process_exit]], function(a) return { id = a.p.tgid } end)\""
    let without = try withoutTypes("\(plain) \(raw)")
    #expect(without.status == 4 && without.errors.contains("or name a file with this kernel's types in BTF_FILE_PATH"))
    let with = try withoutTypes("BTF_FILE_PATH=\(try types()) \(plain) \(raw)")
    #expect(with.status == 0 && with.output.contains("{\"id\":"), "\(with.errors)")
    let own = "\"probe([[tp_btf:sched_switch]], function() end)\""
    let refused = try withoutTypes("BTF_FILE_PATH=kernel.btf \(plain) \(own)")
    #expect(
      refused.status == 4 && refused.errors.contains("by which tp_btf:sched_switch is attached")
        && !refused.errors.contains("did you mean"), "\(refused.errors)")
  }

  @Test func doctor() throws {
    let run = try withoutTypes("\"$0\" doctor")
    for text in [
      "  no  btf ",
      "> use a kernel with CONFIG_DEBUG_INFO_BTF=y, or name a file with this kernel's types in BTF_FILE_PATH",
      "  no  iter:task ", "  yes tracepoint\n",
    ] { #expect(run.output.contains(text), "\(run.output)") }
  }

  // MARK: Other processors

  /// As much of an arm64 kernel's header as the program needs.
  private static let otherHeader = """
    #ifndef __VMLINUX_H__
    #define __VMLINUX_H__
    #pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)
    typedef unsigned char __u8; typedef unsigned short __u16; typedef unsigned int __u32; typedef unsigned long long __u64;
    typedef short __s16; typedef int __s32; typedef long long __s64; typedef __u16 __be16; typedef __u32 __be32, __wsum;
    typedef __u32 u32; typedef __u64 u64; typedef _Bool bool;
    struct user_pt_regs { u64 regs[31]; u64 sp, pc, pstate; };
    struct pt_regs { struct user_pt_regs user_regs; u64 orig_x0; };
    enum { BPF_MAP_TYPE_RINGBUF = 27 };
    #pragma clang attribute pop
    #endif
    """

  @Test func anotherProcessorsRegisters() throws {
    let header = try directory.write("arm64.h", Self.otherHeader)
    _ = try directory.write(
      "core.bpf.c",
      """
      #include "vmlinux.h"
      #include <bpf/bpf_helpers.h>
      #include <bpf/bpf_tracing.h>
      SEC("uprobe//bin/sh:main") int BPF_KPROBE(on_main, u64 count) { return count > 1; }
      char LICENSE[] SEC("license") = "GPL";
      """)
    try build("--arch", "arm64", "--vmlinux", header)
    let about = try moontrace("inspect", directory.path("package.json"))
    #expect(about.output.contains("  reads    registers of arm64\n"), "\(about.output)")
    let run = try moontrace("run", "-d", "1", directory.path("package.json"))
    #expect(
      run.status == 4
        && run.errors.contains(
          "program 'on_main': it reads the registers of arm64, and this machine is x86 (moontrace build --arch x86)"),
      "\(run.errors)")
  }
}
