import Glibc
import KernelTestSupport
import Support
import Testing

/// `moontrace list`.
@Suite(.requires(.root, .typeInformation))
struct ListTests {
  @Test func kindsWithTheirCounts() throws {
    let run = try moontrace("list")
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    for kind in ["tracepoint", "rawtracepoint", "kprobe", "fentry", "uprobe", "usdt", "software", "hardware", "iter"] {
      #expect(run.lines.contains { $0.hasPrefix("\(kind) ") }, "\(kind)")
    }
  }

  @Test func argumentsAsLuaSeesThem() throws {
    let run = try moontrace("list", "-v", "t:syscalls:sys_enter_openat")
    #expect(run.lines.first == "tracepoint:syscalls:sys_enter_openat")
    #expect(run.lines.contains("    args.filename      const char * (user)"), "\(run.output)")
  }

  @Test func jsonIsAnObjectALine() throws {
    let run = try moontrace("list", "-v", "--format", "json", "t:sched:sched_sw*")
    let rows = try run.lines.map { try JSON($0) }
    let row = try #require(rows.first { $0["probe"]?.text == "tracepoint:sched:sched_switch" })
    #expect(
      row["arguments"]?.list?.contains(.object(["name": .text("args.next_pid"), "type": .text("int32")])) == true)
    for words in [[], ["struct task_*"], ["struct list_head"], ["-e", "probe('t:sched:*', function() end)"]] {
      let run = try MoontraceProcess(["list", "--format", "json"] + words).wait()
      #expect(try !run.lines.map { try JSON($0) }.isEmpty, "\(run.errors)")
    }
  }

  @Test func typesAsC() throws {
    let run = try moontrace("list", "struct list_head")
    #expect(run.output.hasPrefix("struct list_head {         /* 16 bytes */\n"), "\(run.output)")
    #expect(try moontrace("list", "struct task_*").lines.contains("struct task_struct"))
  }

  /// The kernel of the test may have no modules: what stands in the place of its types here has one.
  @Test func typesOfModules() throws {
    let directory = try TemporaryDirectory()
    let kernel = try readFile("/sys/kernel/btf/vmlinux")
    try writeFile(directory.path("vmlinux"), kernel)
    try writeFile(directory.path("zebra"), Self.moduleTypes(structure: "mt_zebra_state", size: 24, kernel))
    let run = try runShell(
      """
      exec unshare -m sh -c 'mount --bind \(directory.name) /sys/kernel/btf || exit 9
      "$0" list "struct mt_zebra_*"; "$0" list --format json "struct mt_zebra_*"
      "$0" list "struct mt_zebra_state"; "$0" list "union mt_zebra_state"' "$0"
      """)
    #expect(
      run.lines == [
        "struct mt_zebra_state  [zebra]", "{\"type\":\"struct mt_zebra_state\",\"module\":\"zebra\"}",
        "/* module zebra */", "struct mt_zebra_state {  /* 24 bytes */", "};",
      ], "\(run.output)")
    #expect(run.errors.contains("did you mean 'struct mt_zebra_state'?"), "\(run.errors)")
  }

  /// A module's types (linux/btf.h): one structure without members, whose name stands behind the kernel's names.
  private static func moduleTypes(structure name: String, size: UInt32, _ kernel: [UInt8]) -> [UInt8] {
    let text = Array(name.utf8) + [0]
    let offset = kernel[20..<24].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    let header: [UInt32] = [0x1_eb9f, 24, 0, 12, 12, UInt32(text.count)]
    let words = header + [offset, 4 << 24, size]
    return words.flatMap { word in withUnsafeBytes(of: word.littleEndian) { Array($0) } } + text
  }

  @Test func whatAScriptWouldAttach() throws {
    let run = try moontrace(
      "list", "-v", "-e", "probe('t:syscalls:sys_*_getppid', function() return { pid = pid } end)")
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.lines.first?.split(separator: " ") == ["PROGRAMS", "PLACES", "PROBE", "FROM"])
    #expect(
      run.lines.dropFirst().first?.split(separator: " ") == [
        "1", "2", "t:syscalls:sys_*_getppid", "(command", "line):1",
      ])
    #expect(
      run.lines.dropFirst(2).map { $0.trimmingPrefix("    ") } == [
        "tracepoint:syscalls:sys_enter_getppid", "tracepoint:syscalls:sys_exit_getppid",
      ])
  }

  @Test func recipesByTheirName() throws {
    let run = try moontrace("list", "-f", "execsnoop")
    #expect(run.status == 0 && run.lines.count > 1 && run.output.contains("execsnoop.lua:"), "\(run.errors)")
  }

  @Test(.requires(.clang)) func objectsAreNotAttached() throws {
    let script = """
      local o = bpf.compile [[
        #include "vmlinux.h"
        #include <bpf/bpf_helpers.h>
        char LICENSE[] SEC("license") = "GPL";
        SEC("tracepoint/syscalls/sys_enter_getppid") int seen(void *context) { return 0; }
      ]]
      o:attach()
      """
    let run = try moontrace("list", "-e", script)
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.lines.dropFirst().first?.contains("tracepoint/syscalls/sys_enter_getppid") == true, "\(run.output)")
  }

  @Test(.requires(absent: .kprobes)) func kindsThatThisKernelLacksAreListedWithANote() throws {
    let run = try moontrace("list", "k:vfs_read")
    #expect(run.output == "kprobe:vfs_read\n" && run.status == 0)
    #expect(run.errors.hasPrefix("kprobe: this kernel can't attach these: "), "\(run.errors)")
  }

  @Test(
    arguments: [
      (["openat"], 1, "moontrace: nothing matches 'openat' (did you mean '*openat*'?)"),
      (["struct task_strct"], 1, "moontrace: the kernel has no struct 'task_strct' (did you mean 'task_struct'?)"),
      (["uprobe:/no/such:*"], 2, "moontrace: there is no file '/no/such' to attach to"),
      (["a", "b"], 2, "Error: One pattern, not 2"),
      (["-e", "probe('t:no:such', function() end)"], 4, "(command line):1: this kernel has no tracepoint category"),
    ] as [([String], Int, String)])
  func nothingToList(_ words: [String], _ status: Int, _ message: String) throws {
    let run = try MoontraceProcess(["list"] + words).wait()
    #expect(Int(run.status) == status && run.output == "")
    #expect(run.errors.hasPrefix(message), "\(run.errors)")
  }

  @Test func aReaderMayGoAway() throws {
    let run = try runInShell("moontrace list 't:*' | head -1; moontrace list 'struct *' | head -1")
    #expect(run.lines.count == 2 && run.errors == "", "\(run.output) \(run.errors)")
  }

  @Test func allTracepointsAreListed() throws {
    let run = try moontrace("list", "tracepoint")
    #expect(run.lines.count > 500 && run.lines.contains("tracepoint:sched:sched_switch"))
  }
}
