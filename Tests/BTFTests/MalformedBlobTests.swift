import BTF
import RandomTestSupport
import Support
import Testing

/// Blobs that no compiler makes: each one is refused with a message that names the blob, and none crashes or hangs.
struct MalformedBlobTests {
  /// The message that opening a blob fails with.
  private func refusal(_ blob: [UInt8]) -> String? {
    do throws(MoontraceError) {
      _ = try TypeGraph(blob: blob, name: "x.o")
      return nil
    } catch {
      #expect(error.code == .scriptFailed)
      #expect(error.message.hasPrefix("x.o: "))
      return error.message
    }
  }

  /// The message that laying out type `id` fails with.
  private func refusal(_ id: TypeID, _ builder: BlobBuilder) throws -> String? {
    let graph = try builder.graph()
    do throws(MoontraceError) {
      _ = try graph.layout(of: id)
      return nil
    } catch {
      #expect(error.message.hasPrefix("test: "))
      return error.message
    }
  }

  private func small() -> [UInt8] {
    var builder = BlobBuilder()
    let int = builder.integer("int", size: 4, encoding: 1)
    builder.record("s", size: 4, [.init(name: "x", type: int, bitOffset: 0)])
    return builder.blob()
  }

  @Test func everyTruncationIsRefused() {
    let blob = small()
    #expect(refusal(blob) == nil)
    for length in 0..<blob.count { #expect(refusal(Array(blob[..<length])) != nil, "\(length) bytes") }
  }

  @Test func headersThatLieAreRefused() {
    var blob = small()
    blob[0] = 0x7f
    #expect(refusal(blob)?.contains("not BTF") == true)
    blob = small()
    blob.swapAt(0, 1)
    #expect(refusal(blob)?.contains("big-endian") == true)
    blob = small()
    blob[2] = 2
    #expect(refusal(blob)?.contains("version 2") == true)
    for field in stride(from: 4, to: 24, by: 4) {
      blob = small()
      blob.replaceSubrange(field..<field + 4, with: [0xff, 0xff, 0xff, 0xff])
      #expect(refusal(blob) != nil, "field at \(field)")
    }
  }

  @Test func namesWithoutEndAreRefused() {
    var blob = small()
    blob[blob.count - 1] = 0x61
    #expect(refusal(blob)?.contains("has no end") == true)
  }

  @Test func unknownKindsAndNamesOutsideAreRefused() {
    var blob = small()
    blob[24 + 7] = 0x1f
    #expect(refusal(blob)?.contains("unknown kind 31") == true)
    blob = small()
    blob[24] = 0xf0
    #expect(refusal(blob)?.contains("outside the string section") == true)
  }

  @Test func typesThatContainThemselvesAreRefused() throws {
    var builder = BlobBuilder()
    let alias = builder.add(.typedef, "loop", 2)
    builder.add(.const, alias)
    #expect(try refusal(alias, builder)?.contains("stands for itself") == true)
    #expect(try builder.graph().resolve(alias) == 0)

    builder = BlobBuilder()
    let array = builder.array(of: 1, 2)
    #expect(try refusal(array, builder)?.contains("contains itself") == true)

    for name in ["", "me"] {
      builder = BlobBuilder()
      let record = builder.record("s", size: 4, [.init(name: name, type: 1, bitOffset: 0)])
      #expect(try refusal(record, builder)?.contains("contains itself") == true)
    }
  }

  @Test func typesThatGrowWithoutEndAreRefused() throws {
    var builder = BlobBuilder()
    var type = builder.integer("int", size: 4)
    for _ in 0..<20 {
      type = builder.record("u", .union, size: 4, ["a", "b", "c"].map { .init(name: $0, type: type, bitOffset: 0) })
    }
    #expect(try refusal(type, builder)?.contains("too many parts") == true)

    builder = BlobBuilder()
    type = builder.integer("int", size: 4)
    for _ in 0..<3 { type = builder.array(of: type, UInt32.max) }
    #expect(try refusal(type, builder)?.contains("larger than 4 GiB") == true)
  }

  @Test func membersOutsideTheirStructAreRefused() throws {
    for (offset, width) in [(8, 0), (4, 0), (33, 1), (1, 32), (0xff_ffff, 255)] as [(UInt32, UInt32)] {
      var builder = BlobBuilder()
      let int = builder.integer("int", size: 4)
      let id = builder.record(
        "s", size: 4, flag: true, [.init(name: "m", type: int, bitOffset: offset, bitWidth: width)])
      let message = try #require(try refusal(id, builder))
      #expect(message.contains("member 'm' of struct 's' (type 2)"))
    }
  }

  @Test func idsThatNoTypeHasAreRefused() throws {
    var builder = BlobBuilder()
    let missing = builder.add(.const, 99)
    let pointer = builder.add(.pointer, 99)
    #expect(try refusal(missing, builder)?.contains("there is no type 99") == true)
    #expect(try refusal(99, builder)?.contains("there is no type 99") == true)
    let graph = try builder.graph()
    #expect(graph.kind(of: 99) == .void)
    #expect(graph.name(of: 99).isEmpty)
    #expect(graph.resolve(missing) == 0)
    #expect(graph.spelling(of: pointer) == "? *")
    #expect(graph.prototype(of: 99) == nil)
  }

  @Test func typesWithoutBytesAreRefused() throws {
    var builder = BlobBuilder()
    let nothing = builder.add(.typedef, "nothing", 0)
    let forward = builder.add(.forward, "hidden")
    let prototype = builder.add(.prototype, 0)
    let function = builder.add(.function, "f", prototype)
    #expect(try refusal(0, builder)?.contains("void") == true)
    #expect(try refusal(nothing, builder)?.contains("typedef 'nothing' (type 1) is void") == true)
    #expect(try refusal(forward, builder)?.contains("'hidden' (type 2) is only declared here") == true)
    #expect(try refusal(function, builder)?.contains("function 'f'") == true)
    #expect(try refusal(prototype, builder) != nil)
  }

  @Test func impossibleNumbersAreRefused() throws {
    var builder = BlobBuilder()
    let ids = [
      builder.integer("three", size: 3), builder.integer("bits", size: 1, bits: 9),
      builder.integer("none", size: 1, bits: 0), builder.integer("late", size: 4, offset: 30, bits: 4),
      builder.add(.enum, "e", 3), builder.add(.enum, "named", count: 1, 4, body: [0xffff, 1]),
    ]
    for id in ids { #expect(try refusal(id, builder) != nil, "type \(id)") }
  }

  @Test func bitFieldsOfPointersAreRefused() throws {
    var builder = BlobBuilder()
    let pointer = builder.add(.pointer, 0)
    let id = builder.record("s", size: 8, flag: true, [.init(name: "p", type: pointer, bitOffset: 0, bitWidth: 3)])
    #expect(try refusal(id, builder)?.contains("bit-field of pointer") == true)
  }

  @Test func sectionsThatListOtherTypesAreRefused() throws {
    var builder = BlobBuilder()
    let int = builder.integer("int", size: 4)
    builder.add(.dataSection, ".data", count: 1, 4, body: [int, 0, 4])
    let graph = try builder.graph()
    #expect(throws: MoontraceError.self) { try graph.dataSections }
  }

  /// Every question about every type of randomly damaged blobs is answered or refused in bounded time.
  @Test func damagedBlobsNeverCrash() throws {
    let seed = SeededGenerator.seed(for: "damagedBlobsNeverCrash")
    var random = SeededGenerator(seed: seed)
    let sound = Self.everyKind()
    var opened = 0
    for _ in 0..<3000 {
      var blob = sound
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        let position = Int.random(in: 0..<blob.count, using: &random)
        blob[position] = random.chance(50) ? UInt8.random(in: 0...255, using: &random) : blob[position] ^ 1
      }
      guard let graph = try? TypeGraph(blob: blob, name: "damaged") else { continue }
      opened += 1
      for id in 0...graph.endID { Self.ask(graph, about: id) }
      _ = try? graph.dataSections
      for kind in TypeKind.allCases { _ = graph.names(kind) }
    }
    #expect(opened > 100, "seed \(seed)")
  }

  private static func ask(_ graph: TypeGraph, about id: TypeID) {
    _ = try? graph.layout(of: id)
    _ = graph.spelling(of: id)
    _ = graph.prototype(of: id)
    _ = graph.pointee(of: id)
    _ = graph.find(graph.name(of: id), graph.kind(of: id))
  }

  private static func everyKind() -> [UInt8] {
    var builder = BlobBuilder()
    let int = builder.integer("int", size: 4, encoding: 1)
    let pointer = builder.add(.pointer, 4)
    let list = builder.add(.enum, "e", count: 1, 4, body: [builder.string("A"), 1])
    builder.record(
      "s", size: 24, flag: true,
      [
        .init(name: "i", type: int, bitOffset: 0), .init(name: "b", type: int, bitOffset: 32, bitWidth: 3),
        .init(name: "p", type: pointer, bitOffset: 64), .init(name: "e", type: list, bitOffset: 128),
      ])
    let array = builder.array(of: 4, 3)
    let alias = builder.add(.typedef, "t", builder.add(.const, builder.add(.volatile, array)))
    builder.record(
      "u", .union, size: 72, [.init(name: "", type: 4, bitOffset: 0), .init(name: "a", type: alias, bitOffset: 0)])
    let prototype = builder.add(.prototype, int, count: 2, body: [builder.string("x"), alias, 0, 0])
    let function = builder.add(.function, "f", prototype)
    let variable = builder.add(.variable, "v", alias, body: [1])
    builder.add(.dataSection, ".data", count: 2, 72, body: [variable, 0, 72, function, 0, 8])
    builder.add(.enum64, "w", count: 1, 8, body: [builder.string("B"), 1, 1])
    builder.add(.float, "double", 8)
    builder.add(.declarationTag, "tag", function, body: [0])
    builder.add(.restrict, builder.add(.typeTag, "user", pointer))
    builder.add(.forward, "hidden")
    return builder.blob()
  }
}
