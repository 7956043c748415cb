import Testing

@testable import Tracing

/// Which comment documents what, in C as people write it.
struct CDeclarationTests {
  private func declarations(_ text: String) -> [CDeclaration] { CDeclaration.all(in: Array(text.utf8)) }

  /// The names that have a comment, with its text.
  private func documented(_ text: String) -> [String: String] {
    var found: [String: String] = [:]
    for declaration in declarations(text) where !declaration.comments.isEmpty {
      let said = declaration.comments.flatMap(\.lines).map(\.text).joined(separator: "|")
      for name in declaration.names + declaration.records { found[name] = said }
    }
    return found
  }

  @Test(arguments: [
    ("const volatile pid_t pid = 0;", ["pid"]),
    ("const volatile __u64 a = 10, b[4] = {1, 2}, *c;", ["a", "b", "c"]),
    ("const volatile pid_t x __attribute__((section(\".rodata\"))) = 0;", ["x"]),
    ("char LICENSE[] SEC(\"license\") = \"GPL; \\\" {\";", ["LICENSE"]),
    ("struct { __uint(type, X); __type(key, struct { int a; }); } events SEC(\".maps\");", ["events"]),
    ("struct event { int a; } last;", ["last"]),
    ("struct event;", []),
    ("enum mode mode = SLOW;", ["mode"]),
    ("SEC(\"tp/x\") int on_open(struct a *ctx) { return 0; }", ["on_open"]),
    ("SEC(\"kprobe/x\")\nint BPF_KPROBE(on_unlink, int fd, struct f *name)\n{ if (1) { } return 0; }", ["on_unlink"]),
    ("SEC(\"fentry/x\") int BPF_PROG2(on_it, int, fd) { }", ["on_it"]),
    ("static __always_inline int helper(void) { return '{'; }", ["helper"]),
    ("int helper(void) __attribute__((noinline));", ["helper"]),
    ("__noinline int last(int x) __attribute__((weak)) { return x; }", ["last"]),
  ])
  func names(text: String, names: [String]) {
    let all = declarations(text + "\nint behind;")
    #expect(all.first?.names == names)
    #expect(all.last?.names == ["behind"])
  }

  @Test func records() {
    let text = """
      struct event { int pid; };
      typedef struct { int x; } sample_t;
      typedef struct tagged { int x; } __attribute__((packed)) tagged_t;
      union __attribute__((aligned(8))) value { int a; long b; };
      struct { int n; } variable;
      """
    #expect(
      declarations(text).map(\.records)
        == [["struct event"], ["sample_t"], ["struct tagged", "tagged_t"], ["union value"], []])
  }

  @Test func commentsDocumentWhatFollows() {
    let text = """
      // no documentation
      /* nor this */ //// nor this
      /*** nor this */
      /**/
      int plain;
      /// first
      /// second
      int lines;
      /** one */
      SEC("tp/x")
      int function(void *ctx) { /// inside
        return 0; }
      /*!
       * border
       *
       * of stars
       */
      struct { int a; /// of a member
      } map SEC(".maps");
      int trailing; ///< behind
      int after; /**< this too */
      char *text = "/// in a string", c = '"'; /// the next one's
      int next;
      """
    #expect(
      documented(text) == [
        "lines": "first|second", "function": "one", "map": "|border||of stars|", "trailing": "behind",
        "after": "this too", "next": "the next one's",
      ])
  }

  /// As in clang: neither over directives nor over other comments.
  @Test func commentsOfFilesDocumentNothing() {
    let text = """
      /** About the file. */
      #include <x.h> /* spans
      lines */
      #define LONG a \\
        /// not a comment
      int first;
      /// Above an empty line.

      /// Right above.
      int second;
      /// Outside.
      #ifdef X
      int third;
      #endif
      """
    #expect(documented(text) == ["second": "Right above."])
  }

  @Test(arguments: [
    "/// x", "/** x", "int a = \"x", "int f(void) { (", "#define", "/", "\\", "int x = 'a", "/*<", "/**<",
  ])
  func textWithoutAnEnd(text: String) {
    #expect(declarations(text).count <= 1)
    #expect(declarations(text + "\n").count <= 1)
  }

  @Test func linesAreCounted() {
    let text = "int a;\n/* 2\n3 */\n\n/// 5\nint\nb;\n"
    #expect(declarations(text).map(\.line) == [1, 6])
    #expect(declarations(text)[1].comments[0].lines[0].number == 5)
    #expect(declarations("/// a\r\nint x;\r\n")[0].comments[0].lines[0].text == "a")
  }
}
