import BTF
import Testing

/// Names, spellings, prototypes, sections and split blobs.
struct TypeGraphTests {
  @Test func typesAreFoundByNameAndKind() throws {
    var builder = BlobBuilder()
    let int = builder.integer("thing", size: 4)
    let alias = builder.add(.typedef, "thing", int)
    let longer = builder.add(.typedef, "things", int)
    let graph = try builder.graph()
    #expect(graph.endID == 4)
    #expect(graph.find("thing", .integer) == int)
    #expect(graph.find("thing", .struct, .typedef) == alias)
    #expect(graph.find("things", .typedef) == longer)
    #expect(graph.find("thin", .typedef) == nil)
    #expect(graph.find("thing", .struct) == nil)
    #expect(graph.find("thing", .integer) == int && graph.find("thing", .struct) == nil)  // what was found is kept
    #expect(graph.names(.typedef) == ["thing", "things"])
    #expect(graph.kind(of: alias) == .typedef)
    #expect(graph.name(of: alias) == "thing")
  }

  @Test func spellingsAreThoseOfC() throws {
    var builder = BlobBuilder()
    let char = builder.integer("char", size: 1)
    let int = builder.integer("unsigned int", size: 4)
    let event = builder.record("event", size: 0, [])
    let constChar = builder.add(.const, char)
    let prototype = builder.add(.prototype, int, count: 2, body: [0, builder.add(.pointer, event), 0, 0])
    let pointer = builder.add(.pointer, constChar)
    let cases: [(TypeID, String)] = [
      (0, "void"), (int, "unsigned int"), (builder.add(.pointer, event), "struct event *"),
      (builder.array(of: char, 16), "char[16]"), (builder.array(of: builder.array(of: int, 4), 0), "unsigned int[][4]"),
      (pointer, "const char *"), (builder.add(.const, pointer), "const char *const"),
      (builder.add(.pointer, builder.add(.pointer, 0)), "void **"),
      (builder.array(of: pointer, 3), "const char *[3]"),
      (builder.add(.pointer, builder.array(of: int, 3)), "unsigned int (*)[3]"),
      (builder.add(.pointer, prototype), "unsigned int (*)(struct event *, ...)"),
      (builder.add(.function, "work", prototype), "unsigned int work(struct event *, ...)"),
      (builder.add(.prototype, 0), "void (void)"), (builder.record("", .union, size: 0, []), "union {...}"),
      (builder.add(.forward, "u", count: 0, flag: true), "union u"), (builder.add(.typedef, "u32", int), "u32"),
      (builder.add(.volatile, builder.add(.typeTag, "rcu", int)), "volatile unsigned int"),
      (builder.add(.enum64, "wide", 8), "enum wide"),
    ]
    let graph = try builder.graph()
    for (id, spelling) in cases { #expect(graph.spelling(of: id) == spelling) }
  }

  @Test func spellingsOfEndlessTypesEnd() throws {
    var builder = BlobBuilder()
    let pointer = builder.add(.pointer, 1)
    let wide = builder.add(.prototype, 2, count: 3, body: [0, 2, 0, 2, 0, 2])
    let graph = try builder.graph()
    #expect(graph.spelling(of: pointer).utf8.count < 1000)
    #expect(graph.spelling(of: wide).utf8.count < 10_000)
  }

  @Test func prototypesOfFunctionsAndPointersToThem() throws {
    var builder = BlobBuilder()
    let int = builder.integer("int", size: 4, encoding: 1)
    let prototype = builder.add(.prototype, int, count: 2, body: [builder.string("count"), int, 0, 0])
    let function = builder.add(.function, "f", prototype)
    let pointer = builder.add(.typedef, "callback", builder.add(.pointer, prototype))
    let graph = try builder.graph()
    let expected = FunctionPrototype(parameters: [.init(name: "count", type: int)], result: int, isVariadic: true)
    for id in [prototype, function, pointer] { #expect(graph.prototype(of: id) == expected) }
    #expect(graph.prototype(of: int) == nil)
  }

  @Test func pointersArePointersThroughTypedefs() throws {
    var builder = BlobBuilder()
    let int = builder.integer("int", size: 4)
    let constant = builder.add(.const, int)
    let alias = builder.add(.typedef, "p", builder.add(.pointer, constant))
    let anything = builder.add(.pointer, 0)
    let graph = try builder.graph()
    #expect(graph.pointee(of: alias) == constant)
    #expect(graph.pointee(of: anything) == 0)
    #expect(graph.pointee(of: int) == nil)
    #expect(try graph.layout(of: alias) == .pointer)
  }

  @Test func membersComeInTheOrderOfTheDefinition() throws {
    var builder = BlobBuilder()
    let int = builder.integer("int", size: 4, encoding: 1)
    let deepest = builder.record("", size: 4, [.init(name: "deep", type: int, bitOffset: 0)])
    let inner = builder.record(
      "", .union, size: 8,
      [.init(name: "", type: deepest, bitOffset: 32), .init(name: "beside", type: int, bitOffset: 0)])
    let outer = builder.record(
      "outer", size: 16,
      [
        .init(name: "first", type: int, bitOffset: 0), .init(name: "", type: inner, bitOffset: 32),
        .init(name: "last", type: int, bitOffset: 96),
      ])
    // A struct that contains itself ends somewhere.
    let endless = builder.record("endless", size: 4, [.init(name: "", type: outer + 1, bitOffset: 0)])
    let graph = try builder.graph()
    #expect(graph.memberNames(of: outer) == ["first", "deep", "beside", "last"])
    #expect(["deep", "last"].map { graph.member($0, of: outer)?.bitOffset } == [64, 96])
    #expect(graph.memberNames(of: endless) == [] && graph.member("none", of: outer) == nil)
  }

  @Test func dataSectionsListTheirVariables() throws {
    var builder = BlobBuilder()
    let int = builder.integer("int", size: 4)
    let prototype = builder.add(.prototype, 0)
    let (hits, limit) = (
      builder.add(.variable, "hits", int, body: [1]), builder.add(.variable, "limit", int, body: [0])
    )
    let external = builder.add(.function, "bpf_obj_new", prototype)
    builder.add(.dataSection, ".bss", count: 2, 8, body: [hits, 0, 4, limit, 4, 4])
    builder.add(.dataSection, ".ksyms", count: 1, 0, body: [external, 0, 0])
    let sections = try builder.graph().dataSections
    #expect(sections.map(\.name) == [".bss", ".ksyms"])
    #expect(sections[0].size == 8)
    #expect(sections[0].variables.map(\.name) == ["hits", "limit"])
    #expect(sections[0].variables.map(\.offset) == [0, 4])
    #expect(sections[0].variables.map(\.type) == [int, int])
    #expect(sections[0].variables.map(\.linkage) == [.global, .static])
    #expect(sections[1].variables.map(\.name) == ["bpf_obj_new"])
  }

  @Test func splitBlobsContinueIdsAndNames() throws {
    var kernel = BlobBuilder()
    let int = kernel.integer("int", size: 4, encoding: 1)
    kernel.record("shared", size: 4, [.init(name: "old", type: int, bitOffset: 0)])
    let base = try kernel.graph()
    var module = BlobBuilder(after: kernel)
    let own = module.record("own", size: 4, [.init(name: "x", type: int, bitOffset: 0)])
    let newer = module.record("shared", size: 4, [.init(name: "new", type: int, bitOffset: 0)])
    let graph = try module.graph(base: base)
    #expect(own == base.endID)
    #expect(graph.endID == own + 2)
    #expect(graph.find("int", .integer) == int)
    #expect(graph.find("own", .struct) == own)
    #expect(graph.find("shared", .struct) == newer)
    #expect(base.find("shared", .struct) == 2)
    #expect(graph.names(.struct) == ["shared", "own", "shared"])
    #expect(try graph.layout(of: own).record?.members.map(\.name) == ["x"])
    #expect(graph.name(of: int) == "int")
  }
}
