import KernelTestSupport
import Support
import Testing

@testable import KernelLoader

/// What can be probed here, and kernel types by name.
@Suite(.requires(.root))
struct CatalogTests {
  private func specs(_ pattern: String) throws -> [String] {
    try ProbeCatalog.probes(matching: pattern).flatMap(\.specs)
  }

  private func failure(_ pattern: String) -> MoontraceError? {
    do throws(MoontraceError) {
      _ = try ProbeCatalog.probes(matching: pattern)
      return nil
    } catch {
      return error
    }
  }

  @Test func tracepointsAreThoseOfTheirCategories() throws {
    let names = try ProbeCatalog.names(of: .tracepoint)
    let sched = try Tracefs.events(in: "sched")
    #expect(names.filter { $0.hasPrefix("sched:") } == sched.map { "sched:\($0)" })
    #expect(names == names.sorted())
  }

  @Test(arguments: ["t:sched:sched_switch", "tracepoint:sched:sched_switch", "t:sched:sched_switc*", "sched_switch"])
  func patternsFindTracepoints(_ pattern: String) throws {
    #expect(try specs(pattern).contains("tracepoint:sched:sched_switch"))
  }

  @Test(arguments: ["t:sched", "t:sched:", "t:sched:*", "tracepoint:sched:*"])
  func whatIsLeftOutStandsForAll(_ pattern: String) throws {
    let count = try Tracefs.events(in: "sched").count
    #expect(try specs(pattern).count == count)
  }

  @Test func allOfAKind() throws {
    #expect(try specs("software") == SampledEvent.software.map { "software:\($0.name)" })
    #expect(try specs("s:").count == SampledEvent.software.count)
    #expect(try specs("tracepoint").count == ProbeCatalog.names(of: .tracepoint).count)
  }

  @Test(.requires(.typeInformation)) func allKindsOfTheKernelAreSearched() throws {
    let groups = try ProbeCatalog.probes(matching: "*sched_switch*")
    #expect(groups.map(\.kind).prefix(2) == [.tracepoint, .rawtracepoint])
    #expect(try specs("iter:task") == ["iter:task"])
    #expect(try specs("rt:sched_switch") == ["rawtracepoint:sched_switch"])
    #expect(try specs("fr:vfs_read") == ["fexit:vfs_read"])
  }

  @Test func functionsOfALibrary() throws {
    let found = try specs("u:libc:mallo*")
    #expect(found.contains { $0.hasPrefix("uprobe:/") && $0.hasSuffix(":malloc") })
    #expect(try specs("ur:libc:malloc").first?.hasPrefix("uretprobe:/") == true)
    #expect(failure("u:")?.code == .usage)
    #expect(failure("u:/no/such:x")?.code == .usage)
  }

  @Test(arguments: [
    ("openat", "nothing matches 'openat' (did you mean '*openat*'?)"),
    ("t:sched:sched_swich", "nothing matches 't:sched:sched_swich' (did you mean 'tracepoint:sched:sched_switch'?)"),
    ("*no such thing*", "nothing matches '*no such thing*'"),
  ])
  func nothingIsToldWithWhatWasMeant(_ pattern: String, _ message: String) {
    #expect(failure(pattern)?.description == message)
    #expect(failure(pattern)?.code == .scriptFailed)
  }

  // MARK: Types

  @Test(.requires(.typeInformation)) func typesByName() throws {
    #expect(try TypeCatalog.names(matching: "struct task_*").contains(.init(text: "struct task_struct")))
    #expect(try TypeCatalog.names(matching: "enum pid_*").map(\.text).contains("enum pid_type"))
    #expect(try TypeCatalog.names(startingWith: "task_struc").first == "task_struct")
    #expect(TypeCatalog.isType("struct task_struct") && !TypeCatalog.isType("task_struct"))
  }

  @Test(.requires(.typeInformation)) func typesAreWrittenAsInC() throws {
    #expect(
      try TypeCatalog.definition(of: "struct list_head") == """
        struct list_head {         /* 16 bytes */
          struct list_head *next;  /*     0 */
          struct list_head *prev;  /*     8 */
        };

        """)
    #expect(
      try TypeCatalog.definition(of: "enum pid_type").hasPrefix("enum pid_type {  /* 4 bytes */\n  PIDTYPE_PID = 0,\n"))
    #expect(try TypeCatalog.definition(of: "typedef pid_t") == "typedef __kernel_pid_t pid_t;\n")
    #expect(try TypeCatalog.definition(of: "typedef atomic_t").hasPrefix("typedef struct {"))
  }

  @Test(.requires(.typeInformation, .moduleTypes)) func typesOfModulesAreSaidWithTheModule() throws {
    let names = try TypeCatalog.names(matching: "struct ovl_*")
    #expect(names.contains(.init(text: "struct ovl_fs", module: "overlay")), "\(names)")
    #expect(try TypeCatalog.names(matching: "struct list_hea*") == [.init(text: "struct list_head")])
    #expect(try TypeCatalog.names(startingWith: "ovl_f").contains("ovl_fs"))
    let definition = try TypeCatalog.definition(of: "struct ovl_fs")
    #expect(definition.hasPrefix("/* module overlay */\nstruct ovl_fs {"), "\(definition)")
    let error = #expect(throws: MoontraceError.self) { try TypeCatalog.definition(of: "union ovl_fs") }
    #expect(error?.description.contains("did you mean 'struct ovl_fs'?") == true)
  }

  /// Every member has its place, inner ones and bit-fields too.
  @Test(.requires(.typeInformation)) func placesAreThoseOfTheMembers() throws {
    let graph = try KernelTypes.graph()
    let task = try #require(graph.find("task_struct", .struct))
    let text = try TypeCatalog.definition(of: "struct task_struct")
    for name in ["comm", "tgid", "real_parent"] {
      let member = try #require(graph.member(name, of: task))
      let line = try #require(text.split(separator: "\n").first { $0.contains("\(name);") || $0.contains("\(name)[") })
      #expect(line.hasSuffix(" \(member.bitOffset / 8) */"), "\(line)")
    }
    #expect(text.contains(":1;"), "bit-fields have their width")
  }

  @Test(
    .requires(.typeInformation),
    arguments: [
      ("struct task_strct", "the kernel has no struct 'task_strct' (did you mean 'task_struct'?)"),
      ("union list_head", "the kernel has no union 'list_head' (did you mean 'struct list_head'?)"),
    ])
  func typesThatThereAreNot(_ name: String, _ message: String) {
    let error = #expect(throws: MoontraceError.self) { try TypeCatalog.definition(of: name) }
    #expect(error?.description == message)
  }
}
