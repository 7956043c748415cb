import BTF
import Testing

/// Types written as C defines them.
struct TypeDefinitionTests {
  @Test func membersHaveTheirPlaces() throws {
    var builder = BlobBuilder()
    let int = builder.integer("int", size: 4, encoding: 1)
    let inner = builder.record(
      "", .union, size: 4, [.init(name: "a", type: int, bitOffset: 0), .init(name: "b", type: int, bitOffset: 0)])
    let outer = builder.record(
      "event", size: 12,
      [
        .init(name: "n", type: int, bitOffset: 0), .init(name: "", type: inner, bitOffset: 32),
        .init(name: "u", type: inner, bitOffset: 64),
      ])
    let graph = try builder.graph()
    #expect(
      graph.definition(of: outer) == """
        struct event {  /* 12 bytes */
          int n;        /*     0 */
          union {
            int a;      /*     4 */
            int b;      /*     4 */
          };
          union {
            int a;      /*     8 */
            int b;      /*     8 */
          } u;
        };

        """)
  }

  @Test func typedefsOfBareTypesHaveTheirBody() throws {
    var builder = BlobBuilder()
    let int = builder.integer("int", size: 4, encoding: 1)
    let bare = builder.record("", size: 4, [.init(name: "counter", type: int, bitOffset: 0)])
    let named = builder.add(.typedef, "atomic_t", bare)
    let plain = builder.add(.typedef, "number", int)
    let graph = try builder.graph()
    #expect(
      graph.definition(of: named) == "typedef struct {  /* 4 bytes */\n  int counter;    /*     0 */\n} atomic_t;\n")
    #expect(graph.definition(of: plain) == "typedef int number;\n")
    #expect(graph.definition(of: 99) == "")
  }

  /// A struct without a name that holds itself, twice.
  @Test func endlessTypesEnd() throws {
    var builder = BlobBuilder()
    let wide = builder.record(
      "", size: 4,
      [
        .init(name: "", type: 1, bitOffset: 0), .init(name: "", type: 1, bitOffset: 0),
        .init(name: "a", type: 1, bitOffset: 0),
      ])
    let graph = try builder.graph()
    #expect(graph.definition(of: wide).utf8.count < 100_000_000)
  }
}
