import BTF
import KernelTestSupport
import RandomTestSupport
import Support
import Testing

/// A kernel's types reduced to what a program's relocations need.
@Suite(.requires(.clang)) struct TypeReductionTests {
  private static let object = """
    #define kept __attribute__((preserve_access_index))
    enum color { RED, GREEN = 9 };
    struct inner { int a, b; } kept;
    struct task { long state; struct inner inner[4]; struct { union { int deep; }; }; struct task *parent; } kept;
    struct other___v2 { int x; } kept;
    struct sized { char c; };
    __attribute__((section("raw_tp/one"))) long first(struct task *task, struct other___v2 *other) {
      return task->inner[2].b + task->deep + (long)task->parent + other->x
        + __builtin_preserve_type_info(*(struct sized *)0, 1)
        + __builtin_preserve_enum_value(*(enum color *)GREEN, 1);
    }
    """

  /// Members in other places, and much that is not asked for.
  private static let kernel = """
    enum color { BLUE, RED, GREEN };
    struct more { int c; };
    struct inner { struct more more; long z; const volatile int b; };
    typedef struct inner inner_t;
    struct task { char comm[16]; struct { long pad; union { struct more more; unsigned deep; }; };
      inner_t inner[8]; struct task *parent, *child; struct more *unused; };
    struct other { struct more more; short x; };
    struct sized { struct more a, b; };
    struct unrelated { struct task task; };
    struct task *use(struct unrelated *u, struct other *o, struct sized *s, enum color c) { return &u->task + s->a.c + o->x + c; }
    """

  private func types(_ source: String) throws -> (TypeGraph, ELFImage) {
    let image = try compileForBPF(source)
    return (try TypeGraph(blob: image.bytes(of: ".BTF"), name: "test.o"), image)
  }

  private func reduced() throws -> (whole: TypeGraph, reduced: TypeGraph, size: Int) {
    let (object, image) = try types(Self.object)
    let relocations = try FieldRelocations(extBlob: image.bytes(of: ".BTF.ext"), types: object)
    let (kernel, _) = try types(Self.kernel)
    let blob = kernel.reduced(to: relocations, of: object)
    return (kernel, try TypeGraph(blob: blob, name: "reduced"), blob.count)
  }

  @Test func whatIsAskedForStays() throws {
    let (whole, reduced, _) = try reduced()
    let task = try #require(reduced.find("task", .struct))
    let before = try #require(whole.find("task", .struct))
    #expect(Set(reduced.memberNames(of: task)) == ["deep", "inner", "parent"])
    for name in ["deep", "inner", "parent"] {
      #expect(reduced.member(name, of: task)?.bitOffset == whole.member(name, of: before)?.bitOffset)
    }
    let inner = try #require(reduced.find("inner", .struct))
    #expect(reduced.memberNames(of: inner) == ["b"] && reduced.find("inner_t", .typedef) != nil)
    #expect(try reduced.layout(of: task).size == whole.layout(of: before).size)
    let other = try #require(reduced.find("other", .struct))
    #expect(reduced.memberNames(of: other) == ["x"])
    let sized = try #require(reduced.find("sized", .struct))
    #expect(try reduced.memberNames(of: sized) == [] && reduced.layout(of: sized).size == 8)
    let color = try #require(reduced.find("color", .enum))
    guard case .enumeration(_, _, let names) = try reduced.layout(of: color) else {
      Issue.record("no enum")
      return
    }
    #expect(names.map(\.name) == ["BLUE", "RED", "GREEN"])
  }

  @Test func theRestGoes() throws {
    let (whole, reduced, _) = try reduced()
    for name in ["unrelated", "more"] { #expect(reduced.find(name, .struct) == nil, "\(name)") }
    #expect(reduced.endID < whole.endID && reduced.names(.function) == [])
  }

  @Test func aProgramThatAsksForNothing() throws {
    let (object, image) = try types("__attribute__((section(\"xdp\"))) int pass(void *context) { return 2; }")
    let relocations = try FieldRelocations(extBlob: image.bytes(of: ".BTF.ext"), types: object)
    let (kernel, _) = try types(Self.kernel)
    let reduced = try TypeGraph(blob: kernel.reduced(to: relocations, of: object), name: "reduced")
    #expect(reduced.endID == 1)
  }

  /// Whatever the types of both sides say, it ends, and gives a blob that reads.
  @Test func damagedTypes() throws {
    var random = SeededGenerator(seed: SeededGenerator.seed(for: "TypeReductionTests"))
    let (object, image) = try types(Self.object)
    let relocations = try FieldRelocations(extBlob: image.bytes(of: ".BTF.ext"), types: object)
    let kernel = try compileForBPF(Self.kernel).bytes(of: ".BTF")
    let own = image.bytes(of: ".BTF")
    for _ in 0..<2000 {
      let damaged = random.chance(50)
      let types = try? TypeGraph(blob: damaged ? Self.damage(kernel, &random) : kernel, name: "kernel")
      let program = try? TypeGraph(blob: damaged ? own : Self.damage(own, &random), name: "object")
      guard let types, let program else { continue }
      let blob = types.reduced(to: relocations, of: program)
      #expect(throws: Never.self) { try TypeGraph(blob: blob, name: "reduced") }
    }
  }

  /// Changes some words behind the header.
  private static func damage(_ blob: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
    var blob = blob
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let place = Int.random(in: 24..<blob.count, using: &random)
      blob[place] = UInt8.random(in: 0...(random.chance(70) ? 40 : 255), using: &random)
    }
    return blob
  }
}
