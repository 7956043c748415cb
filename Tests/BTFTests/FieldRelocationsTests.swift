import BTF
import KernelTestSupport
import RandomTestSupport
import Support
import Testing

/// CO-RE relocations, of an object and of blobs made by hand.
struct FieldRelocationsTests {
  private static let program = """
    #define kept __attribute__((preserve_access_index))
    struct kept inner { int a, b; };
    struct kept task { long state; struct inner inner; };
    struct kept other { int x; };
    __attribute__((section("raw_tp/one"))) long first(struct task *task) { return task->inner.b + task->state; }
    __attribute__((section("raw_tp/two"))) int second(struct other *other, struct task *task) {
      return __builtin_preserve_field_info(other->x, 2) + other->x + task->state
        + __builtin_btf_type_id(*(struct inner *)0, 0);
    }
    """

  @Test(.requires(.clang)) func ofACompiledProgram() throws {
    let image = try compileForBPF(Self.program)
    let types = try TypeGraph(blob: image.bytes(of: ".BTF"), name: "test.o")
    let relocations = try FieldRelocations(extBlob: image.bytes(of: ".BTF.ext"), types: types)
    // Each access is one, and so is the number of a type, for which the kernel is not asked.
    #expect(relocations.count == 6)
    #expect(relocations.types.map(types.spelling) == ["struct task", "struct other"])
  }

  @Test(.requires(.clang)) func aProgramWithoutAny() throws {
    let image = try compileForBPF("__attribute__((section(\"xdp\"))) int pass(void *context) { return 2; }")
    let types = try TypeGraph(blob: image.bytes(of: ".BTF"), name: "test.o")
    let relocations = try FieldRelocations(extBlob: image.bytes(of: ".BTF.ext"), types: types)
    #expect(relocations.count == 0 && relocations.types == [])
  }

  private struct Relocation {
    var type: TypeID
    /// `enum bpf_core_relo_kind`: 0 is an offset, 6 the number of a type of the object's own.
    var kind: UInt32 = 0
  }

  /// A `.BTF.ext` with relocations by section.
  private static func blob(_ sections: [[Relocation]], recordSize: UInt32 = 16) -> [UInt8] {
    var info = [recordSize]
    for section in sections {
      info += [1, UInt32(section.count)]
      for relocation in section {
        info += [0, relocation.type, 0, relocation.kind] + Array(repeating: 0, count: max(0, Int(recordSize) / 4 - 4))
      }
    }
    return blob(info)
  }

  private static func blob(_ info: [UInt32], length: UInt32? = nil) -> [UInt8] {
    ([0x1_eb9f, 32, 0, 0, 0, 0, 0, length ?? UInt32(4 * info.count)] + info).flatMap(littleEndian)
  }

  private static func graph() throws -> TypeGraph {
    var builder = BlobBuilder()
    let integer = builder.integer("int", size: 4)
    for name in ["a", "b", "c"] {
      builder.record(name, size: 4, [.init(name: "member", type: integer, bitOffset: 0)])
    }
    return try builder.graph()
  }

  @Test(arguments: [16, 24]) func typesInTheOrderOfTheirMention(recordSize: UInt32) throws {
    let blob = Self.blob(
      [[.init(type: 3), .init(type: 2, kind: 6), .init(type: 3)], [], [.init(type: 2, kind: 8), .init(type: 4)]],
      recordSize: recordSize)
    let relocations = try FieldRelocations(extBlob: blob, types: Self.graph())
    #expect(relocations.count == 5 && relocations.types == [3, 2, 4])
  }

  /// Headers of 24 bytes end before CO-RE.
  @Test func formatsWithoutRelocations() throws {
    let old = [0x1_eb9f, 24, 0, 0, 0, 0].flatMap(littleEndian)
    #expect(try FieldRelocations(extBlob: old, types: Self.graph()).count == 0)
    #expect(try FieldRelocations(extBlob: Self.blob([], length: 0), types: Self.graph()).count == 0)
  }

  @Test(arguments: [
    (blob([16], length: 100), "the relocations"), (blob([16, 1], length: 8), "cut off"),
    (blob([16, 1, 2, 0, 3, 0, 0]), "cut off"), (blob([16, 1, .max]), "cut off"), (blob([12, 1, 0]), "of 12 bytes"),
    (blob([18, 1, 0]), "of 18 bytes"), (blob([0, 1, 9]), "of 0 bytes"), ([], "BTF.ext"), ([1, 2, 3], "BTF.ext"),
  ])
  func damage(blob: [UInt8], message: String) throws {
    let error = try #require(throws: MoontraceError.self) {
      try FieldRelocations(extBlob: blob, types: Self.graph())
    }
    #expect(error.message.contains(message), "\(error)")
  }

  /// Whatever stands in a blob, reading it ends, and gives no more than fits in it.
  @Test func randomDamage() throws {
    var random = SeededGenerator(seed: SeededGenerator.seed(for: "FieldRelocationsTests"))
    let graph = try Self.graph()
    let whole = Self.blob([[.init(type: 1), .init(type: 2)], [.init(type: 3)]])
    for _ in 0..<2000 {
      var blob = whole
      for _ in 0...Int.random(in: 0..<4, using: &random) {
        blob[Int.random(in: 0..<blob.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      if random.chance(30) { blob.removeLast(Int.random(in: 0..<blob.count, using: &random)) }
      let read = try? FieldRelocations(extBlob: blob, types: graph)
      #expect(read?.count ?? 0 <= blob.count / 16)
    }
  }
}
