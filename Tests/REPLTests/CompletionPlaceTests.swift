import Testing

@testable import REPL

/// Where in a text the cursor is, found from the text before it.
@Suite struct CompletionPlaceTests {
  private func place(_ text: String) -> CompletionPlace { CompletionPlace(endOf: text) }

  private func name(
    _ start: String, of path: [String] = [], isMethod: Bool = false, probe: CompletionPlace.ProbeFunction? = nil
  ) -> CompletionPlace {
    .name(path: path, start, isMethod: isMethod, probe: probe)
  }

  @Test func commandsAndTheirArguments() {
    #expect(place(":st") == .command("st"))
    #expect(place(":stop ") == .argument(command: "stop", ""))
    #expect(place(":type struct task_s") == .argument(command: "type", "struct task_s"))
    #expect(place(":save! a b") == .argument(command: "save!", "a b") && Command.argument(of: "save!") == .file)
  }

  @Test(arguments: [
    "probe(\"tracepoint:sc", "probe('tracepoint:sc", "probe \"tracepoint:sc", "x = probe( \"tracepoint:sc",
    "probe({ \"kprobe:x\", \"tracepoint:sc", "y = 1 -- probe\nprobe(\"tracepoint:sc",
  ])
  func specsOfProbes(_ text: String) {
    #expect(place(text) == .spec("tracepoint:sc"))
  }

  @Test(arguments: [
    "bpf.object(\"build/x", "bpf.object 'build/x", "x = bpf.object( [[build/x", "stacks:flamegraph{ file = 'build/x",
  ])
  func paths(_ text: String) {
    #expect(place(text) == .path("build/x"))
  }

  @Test(arguments: [
    "print(\"tracepoint:sc", "x = [[probe(\"t:", "-- a comment.x", "12", "x = 1 -- ", "bpf.object(x, 'a", "object('a",
  ])
  func nothingElsewhere(_ text: String) {
    #expect(place(text) == .nothing)
  }

  @Test func namesAndPaths() {
    #expect(place("") == name(""))
    #expect(place("x = pri") == name("pri"))
    #expect(place("string.fo") == name("fo", of: ["string"]))
    #expect(place("a.b.c.") == name("", of: ["a", "b", "c"]))
    #expect(place("counts:pri") == name("pri", of: ["counts"], isMethod: true))
    #expect(place("f().x") == .nothing)
    #expect(place("'a' .. b") == name("b"))
    #expect(place("x = 1 ") == name(""))
  }

  @Test func argumentsOfTheProbeAround() {
    let probe = CompletionPlace.ProbeFunction(spec: "t:sched:sched_switch", argument: "args")
    let start = "probe(\"t:sched:sched_switch\", function(args) "
    #expect(place(start + "return { args.prev") == name("prev", of: ["args"], probe: probe))
    #expect(place(start + "\nif x then y = 1 end\nfor i = 1, 2 do args.") == name("", of: ["args"], probe: probe))
    #expect(place(start + "local function f() co") == name("co", probe: probe))
    #expect(place(start + "return pid end)\nco") == name("co"))
    #expect(place(start + "return pid end):each(function(e) e.p") == name("p", of: ["e"]))
  }

  @Test func theFirstSpecOfAListIsTheProbes() {
    let probe = CompletionPlace.ProbeFunction(spec: "k:b", argument: "a")
    #expect(place("probe({ \"k:a\", \"k:b\" }, function(a) a.") == name("", of: ["a"], probe: probe))
  }
}
