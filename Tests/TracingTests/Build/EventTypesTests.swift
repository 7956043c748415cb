import Testing

@testable import Tracing

/// Types of events, from trees as clang prints them (places and numbers shortened).
struct EventTypesTests {
  /// A function of those parameters around a body.
  private func function(_ name: String, _ parameters: String..., body: String) -> String {
    let declared = parameters.map { "| |-ParmVarDecl 0x1 <col:1> col:2 used \($0)\n" }.joined()
    let lines = body.split(separator: "\n").map { "| | \($0)\n" }.joined()
    return
      "|-FunctionDecl 0x2 <line:1:1> line:2:5 used \(name) 'int (void *)'\n\(declared)| |-CompoundStmt 0x3 <col:1>\n"
      + lines + "| `-SectionAttr 0x4 <col:1> section \"x\"\n"
  }

  private func callee(_ name: String, _ kind: String = "Var") -> String {
    "|-ImplicitCastExpr 0x1 <col:1> 'f' <LValueToRValue>\n"
      + "| `-DeclRefExpr 0x1 <col:1> 'void *(*)(void *)' lvalue \(kind) 0x9 '\(name)' 'void *(*)(void *)'\n"
  }

  private func map(_ name: String) -> String {
    """
    |-ImplicitCastExpr 0x1 <col:1> 'void *' <BitCast>
    | `-UnaryOperator 0x1 <col:1> 'struct (unnamed struct at x.c:1:1) *' prefix '&' cannot overflow
    |   `-DeclRefExpr 0x1 <col:1> 'struct (unnamed struct at x.c:1:1)':'struct (unnamed at x.c:1:1)' lvalue Var 0x8 '\(name)' 'struct (unnamed struct at x.c:1:1)'

    """
  }

  private func parameter(_ name: String) -> String {
    "|-ImplicitCastExpr 0x1 <col:1> 'void *' <LValueToRValue>\n"
      + "| `-DeclRefExpr 0x1 <col:1> 'void *' lvalue ParmVar 0x7 '\(name)' 'void *'\n"
  }

  private let size = "|-ImplicitCastExpr 0x1 <col:1> '__u64':'unsigned long long' <IntegralCast>\n"
  private let flags = "`-IntegerLiteral 0x1 <col:1> 'int' 0\n"

  private func indented(_ text: String, _ margin: String = "  ") -> String {
    text.split(separator: "\n").map { "\(margin)\($0)\n" }.joined()
  }

  private func events(_ functions: String...) -> EventTypes {
    EventTypes(SyntaxTree(dump: Array(("TranslationUnitDecl 0x0 <<invalid sloc>>\n" + functions.joined()).utf8)))
  }

  private func reserve(_ casts: String, size sizeTree: String? = nil) -> String {
    let call =
      "`-CallExpr 0x1 <col:1> 'void *'\n"
      + indented(callee("bpf_ringbuf_reserve") + map("events") + (sizeTree ?? size) + flags)
    return
      "`-DeclStmt 0x1 <col:1>\n  `-VarDecl 0x1 <col:1> col:9 used e 'struct event *' cinit\n    \(casts)\n\(indented(call, "      "))"
  }

  @Test func whatReservedMemoryIsTakenFor() {
    let plain = events(
      function("f", "ctx 'void *'", body: reserve("`-ImplicitCastExpr 0x1 <col:1> 'struct event *' <BitCast>")))
    #expect(plain.found == [EventType(map: "events", type: "struct event")])
    let constant = events(
      function("f", body: reserve("`-CStyleCastExpr 0x1 <col:1> 'const volatile struct event *' <BitCast>")))
    #expect(constant.found == [EventType(map: "events", type: "struct event")])
    let typedefed = events(function("f", body: reserve("`-ImplicitCastExpr 0x1 <col:1> 'event_t *' <BitCast>")))
    #expect(typedefed.found == [EventType(map: "events", type: "event_t")])
  }

  @Test(arguments: [
    "char *", "void *", "unsigned char *", "struct (unnamed struct at x.c:1:1) *", "int (*)(void)", "unsigned long",
  ])
  func whatIsNoRecord(type: String) {
    #expect(events(function("f", body: reserve("`-ImplicitCastExpr 0x1 <col:1> '\(type)' <BitCast>"))).found == [])
  }

  @Test func theSizeTellsToo() {
    let ofType = size + "| `-UnaryExprOrTypeTraitExpr 0x1 <col:1> 'unsigned long' sizeof 'struct event'\n"
    let ofValue =
      size
      + "| `-UnaryExprOrTypeTraitExpr 0x1 <col:1> 'unsigned long' sizeof\n|   `-ParenExpr 0x1 <col:1> 'struct event' lvalue\n"
    for tree in [ofType, ofValue] {
      let found = events(function("f", body: reserve("`-ImplicitCastExpr 0x1 <col:1> 'char *' <BitCast>", size: tree)))
        .found
      #expect(found == [EventType(map: "events", type: "struct event", sizeType: "struct event")])
    }
    let number = size + "| `-IntegerLiteral 0x1 <col:1> 'int' 64\n"
    let sized = events(function("f", body: reserve("`-ImplicitCastExpr 0x1 <col:1> 'char *' <BitCast>", size: number)))
    #expect(sized.found == [] && sized.sizes == ["events": [64]])
  }

  /// Memory behind a dynptr is known by its size alone.
  @Test func theSizeOfADynptrsMemory() {
    let tree = size + "| `-UnaryExprOrTypeTraitExpr 0x1 <col:1> 'unsigned long' sizeof 'struct event'\n"
    let call =
      "`-CallExpr 0x1 <col:1> 'long'\n" + indented(callee("bpf_ringbuf_reserve_dynptr") + map("events") + tree + flags)
    let found = events(function("f", body: call)).found
    #expect(found == [EventType(map: "events", type: "struct event", sizeType: "struct event")])
  }

  /// What is no struct has the size's type; a pointer alone may be one to its first byte.
  @Test(arguments: [
    ("u64 *", "unsigned long long", "u64"), ("unsigned int *", "unsigned int", nil), ("int *", "int[4]", nil),
    ("struct item *", "struct item[2]", "struct item"), ("enum kind *", "const enum kind", nil),
  ])
  func sizesOfWhatIsNoStruct(pointer: String, measured: String, named: String?) {
    let tree =
      size
      + "| `-UnaryExprOrTypeTraitExpr 0x1 <col:1> 'unsigned long' sizeof\n|   `-ParenExpr 0x1 <col:1> '\(measured)' lvalue\n"
    let found = events(
      function("f", body: reserve("`-ImplicitCastExpr 0x1 <col:1> '\(pointer)' <BitCast>", size: tree))
    )
    .found
    let plain = measured.replacing("const ", with: "")
    #expect(found == [EventType(map: "events", type: named ?? plain, sizeType: plain)])
  }

  private let pointer = """
    |-ImplicitCastExpr 0x1 <col:1> 'void *' <BitCast>
    | `-UnaryOperator 0x1 <col:1> 'struct event *' prefix '&' cannot overflow
    |   `-DeclRefExpr 0x1 <col:1> 'struct event' lvalue Var 0x6 'e' 'struct event'

    """

  @Test func whatIsSent() {
    let ring =
      "`-CallExpr 0x1 <col:1> 'long'\n" + indented(callee("bpf_ringbuf_output") + map("ring") + pointer + size + flags)
    let perf =
      "`-CallExpr 0x1 <col:1> 'long'\n"
      + indented(callee("bpf_perf_event_output") + parameter("ctx") + map("perf") + size + pointer + flags)
    let found = events(function("f", "ctx 'void *'", body: ring), function("g", "ctx 'void *'", body: perf + ring))
      .found
    #expect(Set(found) == [EventType(map: "ring", type: "struct event"), EventType(map: "perf", type: "struct event")])
  }

  /// As in compat.bpf.h of libbpf's tools, and a sender for any map, which stands behind its caller.
  @Test func functionsAreLookedThrough() {
    let reserving = function(
      "reserve_buf", "size '__u64':'unsigned long long'",
      body: "`-ReturnStmt 0x1 <col:1>\n  `-CallExpr 0x1 <col:1> 'void *'\n"
        + indented(callee("bpf_ringbuf_reserve") + map("events") + size + flags, "    "))
    let reserves = function(
      "f",
      body: "`-VarDecl 0x1 <col:1> col:9 used e 'struct event *' cinit\n"
        + "  `-ImplicitCastExpr 0x1 <col:1> 'struct event *' <BitCast>\n    `-CallExpr 0x1 <col:1> 'void *'\n"
        + indented(callee("reserve_buf", "Function") + flags, "      "))
    #expect(events(reserving, reserves).found == [EventType(map: "events", type: "struct event")])
    let sending = function(
      "send", "to 'void *'", "what 'void *'",
      body: "`-CallExpr 0x1 <col:1> 'long'\n"
        + indented(callee("bpf_ringbuf_output") + parameter("to") + parameter("what") + size + flags))
    let sends = function(
      "g", body: "`-CallExpr 0x1 <col:1> 'int'\n" + indented(callee("send", "Function") + map("alerts") + pointer))
    #expect(events(sends, sending).found == [EventType(map: "alerts", type: "struct event")])
  }

  @Test(arguments: [
    "", "\n\n", "|", "| | |-CallExpr", "|-FunctionDecl", "|-FunctionDecl 'a\n| |-CompoundStmt\n| | `-CallExpr 'x",
  ])
  func treesThatAreNone(text: String) {
    #expect(EventTypes(SyntaxTree(dump: Array(text.utf8))).found == [])
  }
}
