import BTF
import KernelTestSupport
import Support
import Testing

/// The running kernel's own types, which pahole made from what GCC or clang wrote.
@Suite(.requires(.typeInformation))
struct KernelTypesTests {
  private static func kernel() throws -> TypeGraph {
    try TypeGraph(blob: readFile(Machine.kernelTypes), name: "vmlinux")
  }

  private func record(_ name: String, in graph: TypeGraph) throws -> RecordLayout {
    let id = try #require(graph.find(name, .struct), "\(name)")
    return try #require(try graph.layout(of: id).record)
  }

  @Test func taskStructHasItsMembers() throws {
    let task = try record("task_struct", in: Self.kernel())
    let members = Dictionary(task.members.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    let pid = try #require(members["pid"])
    #expect(pid.value == .integer(size: 4, signed: true))
    #expect(members["tgid"]?.offset == pid.offset + 4)
    #expect(members["comm"]?.value == .text(count: 16))
    #expect(members["real_parent"]?.value == .pointer)
    #expect(members["in_execve"]?.bits?.width == 1)
    #expect(task.members.allSatisfy { !$0.name.isEmpty && $0.offset + $0.value.size <= task.size || $0.bits != nil })
  }

  @Test func skBuffHasItsBitFields() throws {
    let members = try record("sk_buff", in: Self.kernel()).members
    let kind = try #require(members.first { $0.name == "pkt_type" })
    let place = try #require(members.first { $0.name == "__pkt_type_offset" })
    #expect(kind.bits == .init(offset: 0, width: 3, storage: 1))
    #expect(kind.offset == place.offset)
    #expect(place.value == .bytes(size: 0))
    let following = try #require(members.first { $0.name == "ignore_df" })
    #expect(following.bits == .init(offset: 3, width: 1, storage: 1))
  }

  @Test func functionsHaveNamedParameters() throws {
    let graph = try Self.kernel()
    let id = try #require(graph.find("vfs_read", .function))
    #expect(graph.prototype(of: id)?.parameters.map(\.name) == ["file", "buf", "count", "pos"])
    #expect(graph.spelling(of: id) == "ssize_t vfs_read(struct file *, char *, size_t, loff_t *)")
  }

  @Test func everyStructOfTheKernelHasALayout() throws {
    let graph = try Self.kernel()
    var count = 0
    for id in 1..<graph.endID where [.struct, .union].contains(graph.kind(of: id)) && id % 4 == 0 {
      #expect(throws: Never.self) { try graph.layout(of: id) }
      count += 1
    }
    #expect(count > 1000)
  }

  @Test func thousandSearchesEndSoon() throws {
    let graph = try Self.kernel()
    for index in 0..<50 { #expect(graph.find("no_such_type_\(index)", .struct, .function) == nil) }
  }
}
