import LuaBytecode
import Support
import Testing

@Suite struct ListingTests {
  @Test func readsAsLuacPrints() throws {
    let listing = try Lua.compile("local x = t.name\nif x then x = x + 1 end\nreturn f(x, 'a')", name: "@x.lua").listing
    #expect(
      listing == """
        function <x.lua:0,0> (13 instructions)
        \t1\t[1]\tVARARGPREP\t0
        \t2\t[1]\tGETTABUP \t0 0 0\t; _ENV "t"
        \t3\t[1]\tGETFIELD \t0 0 1\t; "name"
        \t4\t[2]\tTEST     \t0 0
        \t5\t[2]\tJMP      \t2\t; to 8
        \t6\t[2]\tADDI     \t0 0 1
        \t7\t[2]\tMMBINI   \t0 1 6 0\t; __add
        \t8\t[3]\tGETTABUP \t1 0 2\t; _ENV "f"
        \t9\t[3]\tMOVE     \t2 0
        \t10\t[3]\tLOADK    \t3 3\t; "a"
        \t11\t[3]\tTAILCALL \t1 3 1\t; 2 in
        \t12\t[3]\tRETURN   \t1 0 1\t; all out
        \t13\t[3]\tRETURN   \t1 1 1\t; 0 out

        """)
  }

  @Test(.enabled(if: Luac.exists, "luac5.4 is missing")) func agreesWithLuac() throws {
    try compare(Corpus.language)
    for path in Corpus.files { try compare(Corpus.text(of: path), path) }
  }

  /// Names, and where they are in scope.
  @Test(.enabled(if: Luac.exists, "luac5.4 is missing")) func localsAgreeWithLuac() throws {
    var wanted: [String] = []
    var inside = false
    for line in try Luac.run("-l -l", Corpus.language).split(separator: "\n") {
      if !line.hasPrefix("\t") { inside = line.hasPrefix("locals") } else if inside { wanted.append(String(line)) }
    }
    var found: [String] = []
    func visit(_ prototype: LuaPrototype) {
      for (number, local) in prototype.locals.enumerated() {
        found.append("\t\(number)\t\(local.name)\t\(local.startPC + 1)\t\(local.endPC + 1)")
      }
      prototype.prototypes.forEach(visit)
    }
    visit(try Lua.compile(Corpus.language))
    #expect(found == wanted && found.count > 20)
  }

  private func compare(_ text: String, _ name: String = "language") throws {
    let ours = lines(try Lua.compile(text).listing)
    let theirs = lines(try Luac.run("-l", text))
    #expect(ours.count == theirs.count, "\(name)")
    for (ours, theirs) in zip(ours, theirs) where ours != theirs {
      Issue.record("\(name): ours \(ours), luac's \(theirs)")
    }
  }

  /// The instructions; a closure's comment is an address in luac's.
  private func lines(_ listing: String) -> [String] {
    listing.split(separator: "\n").filter { $0.hasPrefix("\t") }.map { line in
      line.contains("\tCLOSURE  ") ? String(line.prefix { $0 != ";" }) : String(line)
    }
  }
}
