import Pictures
import Testing

struct FlameGraphTests {
  private func sample() -> FlameGraph {
    var graph = FlameGraph(title: "profile")
    graph.add(
      [Frame("bash", .group)] + Frame.stack("read+0x1f\nmain+0x3\n", .user) + Frame.stack("vfs_read+0x1", .kernel),
      count: 30)
    graph.add([Frame("bash", .group)] + Frame.stack("main+0x9", .user), count: 10)
    graph.add([Frame("cat", .group)], count: 60)
    return graph
  }

  private func frames(_ graph: FlameGraph) throws -> [String: MarkupCheck.Element] {
    let check = try MarkupCheck(graph.svg())
    let boxes = check.all("svg", class: "f")
    let titles = check.elements.indices.dropLast().filter {
      check.elements[$0].attributes["class"]?.hasPrefix("f ") == true
    }
    #expect(boxes.count == titles.count)
    return Dictionary(
      titles.map { (check.elements[$0 + 1].text, check.elements[$0]) }, uniquingKeysWith: { a, _ in a })
  }

  // MARK: Stacks

  @Test func readsStacks() {
    let text = "inner+0x12\nlibc.so.6+0x2724a\nlibc.so.6+0x27305\n0x7fff1234\nbase::operator+(int)\n_start+0x21"
    #expect(
      Frame.stack(text, .user).map(\.name) == ["_start", "base::operator+(int)", "[unknown]", "[libc.so.6]", "inner"])
    #expect(Frame.stack("", .kernel).isEmpty)
  }

  @Test func countsByStack() {
    let graph = sample()
    #expect(graph.total == 100 && graph.stackCount == 3)
    #expect(graph.count(of: "main") == 40 && graph.count(of: "vfs_read") == 30 && graph.count(of: "none") == 0)
  }

  @Test func recursionCountsOnce() {
    var graph = FlameGraph(title: "")
    graph.add(Frame.stack("f\nf\nf", .user), count: 7)
    #expect(graph.count(of: "f") == 7)
  }

  @Test func hugeCountsStayThere() throws {
    var graph = FlameGraph(title: "")
    for _ in 0..<3 { graph.add([Frame("a", .user)], count: .max) }
    graph.add([Frame("b", .user)], count: -5)
    #expect(graph.total == .max)
    _ = try MarkupCheck(graph.svg())
  }

  // MARK: The picture

  @Test func framesAreAsWideAsTheirCounts() throws {
    let frames = try frames(sample())
    let main = try #require(frames["main\n40 samples, 40%"])
    #expect(main.attributes["width"] == "40%" && main.attributes["x"] == "0%" && main.attributes["data-c"] == "40")
    let cat = try #require(frames["cat\n60 samples, 60%"])
    #expect(cat.attributes["width"] == "60%" && cat.attributes["x"] == "40%")
    #expect(frames["all\n100 samples, 100%"]?.attributes["width"] == "100%")
  }

  @Test func callersStandBelow() throws {
    let frames = try frames(sample())
    let stack = ["all", "bash", "main", "read", "vfs_read"]
    let rows = try stack.map { name in
      let frame = try #require(frames.first { $0.key.hasPrefix(name + "\n") })
      return try #require(frame.value.attributes["y"].flatMap { Int($0) })
    }
    #expect(rows == rows.sorted(by: >) && Set(rows).count == rows.count)
  }

  @Test func userAndKernelFramesDiffer() throws {
    let classes = try frames(sample()).mapValues { $0.attributes["class"] ?? "" }
    #expect(classes["main\n40 samples, 40%"]?.hasPrefix("f u") == true)
    #expect(classes["vfs_read\n30 samples, 30%"]?.hasPrefix("f k") == true)
    #expect(classes["cat\n60 samples, 60%"] == "f g")
  }

  @Test func coloursAreStable() throws {
    var other = FlameGraph(title: "another")
    other.add(Frame.stack("main", .user), count: 1)
    #expect(
      try frames(other)["main\n1 samples, 100%"]?.attributes["class"]
        == frames(sample())["main\n40 samples, 40%"]?.attributes["class"])
  }

  @Test func loadsNothing() throws {
    let text = sample().svg()
    let check = try MarkupCheck(text)
    #expect(check.elements.allSatisfy { $0.attributes["href"] == nil && $0.attributes["src"] == nil })
    #expect(!text.contains("url(") && !text.contains("@import"))
    #expect(check.all("script").count == 1 && check.all("input").count == 1)
  }

  @Test(arguments: [
    "</title></svg><script>alert(1)</script>", "a&b<c>\"'", "]]>", "\u{1b}[31m\u{0}\u{7}", "\u{202e}evil", "Ωμέγα🙂",
    "operator<<(std::ostream&, char const*)",
  ])
  func hostileNamesAreText(_ name: String) throws {
    var graph = FlameGraph(title: name, unit: name)
    graph.add([Frame(name, .group), Frame(name, .user), Frame(name, .kernel)], count: 3)
    let check = try MarkupCheck(graph.svg())
    #expect(check.all("script").count == 1 && check.all("svg", class: "f").count == 4)
  }

  @Test func emptyOneSaysSo() throws {
    let check = try MarkupCheck(FlameGraph(title: "profile", unit: "µs").svg())
    #expect(check.all("text", class: "none").map(\.text) == ["no µs"])
    #expect(check.all("svg", class: "f").isEmpty)
  }

  // MARK: Size

  @Test func narrowFramesAreLeftOutAndCounted() throws {
    var graph = FlameGraph(title: "many")
    graph.add([Frame("wide", .user)], count: 1_000_000)
    for number in 0..<500 { graph.add([Frame("narrow\(number)", .user)], count: 1) }
    let check = try MarkupCheck(graph.svg())
    #expect(check.all("svg", class: "f").count == 2)
    #expect(check.all("span").contains { $0.text.contains("500 narrow frames left out") })
  }

  @Test func framesStayFew() throws {
    var graph = FlameGraph(title: "many")
    for number in 0..<30_000 { graph.add([Frame("f\(number)", .user)], count: Int64(number % 3) + 1) }
    #expect(try MarkupCheck(graph.svg()).all("svg", class: "f").count <= 20_000)
  }

  @Test func deepStacksEnd() throws {
    var graph = FlameGraph(title: "deep")
    graph.add((0..<100_000).map { Frame("f\($0)", .user) }, count: 1)
    #expect(try MarkupCheck(graph.svg()).all("svg", class: "f").count == 513)
  }
}
