import Pictures
import Testing

struct ReportTests {
  private func check(_ sections: Report.Section..., facts: [Report.Fact] = []) throws -> MarkupCheck {
    var report = Report(title: "opensnoop", facts: facts)
    report.sections = sections
    return try MarkupCheck(report.html(), isHTML: true)
  }

  @Test func hasItsHead() throws {
    let check = try check(facts: [Report.Fact("Kernel", "6.18"), Report.Fact("Command", "run -e '<b>'")])
    #expect(check.all("h1").map(\.text) == ["opensnoop"])
    #expect(check.all("dd").map(\.text) == ["6.18", "run -e '<b>'"])
    #expect(check.all("meta").contains { $0.attributes["name"] == "viewport" })
    #expect(check.all("p", class: "note").count == 1)
  }

  @Test func tablesSayWhatIsLeftOut() throws {
    let rows = [["1", "bash"], ["20", "a<b"], ["", "x\ny\nz"]]
    let table = Report.EventTable(title: "t:sched:x", columns: ["pid", "comm"], rows: rows, total: 12_345)
    let check = try check(.table(table))
    #expect(check.all("p", class: "note").map(\.text) == ["the first 3 of 12,345 events; 12,342 more are counted only"])
    #expect(check.all("td").map(\.text) == ["1", "bash", "20", "a<b", "", ""])
    #expect(check.all("td", class: "n").count == 3)
    #expect(check.all("summary").map(\.text) == ["x … 3 lines"] && check.all("details").map(\.text) == ["y\nz"])
  }

  @Test func barsAreInProportion() throws {
    let rows = [
      Report.BarTable.Row(key: ["bash", "1"], cells: [Report.Cell("1.5 ms", value: 1500)], size: 1500),
      Report.BarTable.Row(key: ["cat", "2"], cells: [Report.Cell("300 us", value: 300)], size: 300),
      Report.BarTable.Row(key: ["none", "3"], cells: [Report.Cell("-1 us", value: -1)], size: -1),
    ]
    let check = try check(.bars(Report.BarTable(title: "time", headings: ["sum"], rows: rows)))
    #expect(check.all("i").map { $0.attributes["style"] } == ["width:100%", "width:20%", "width:0%"])
    #expect(check.all("td", class: "n").map { $0.attributes["data-v"] } == ["1500", "300", "-1"])
  }

  @Test func manyRowsAreCounted() throws {
    let rows = (0..<1500).map { Report.BarTable.Row(key: ["\($0)"], cells: [Report.Cell("1")], size: 1) }
    let check = try check(.bars(Report.BarTable(title: "n", headings: ["count"], rows: rows)))
    #expect(check.all("tr").count == 1001)
    #expect(check.all("p", class: "note").map(\.text) == ["the largest 1,000 of 1,500 rows"])
  }

  @Test func histogramsKeepTheirOrder() throws {
    let ranges: [(label: String, count: Int64)] = [("[1 ms, 2 ms)", 3), ("[2 ms, 4 ms)", 0), ("[4 ms, 8 ms)", 6)]
    let check = try check(.histogram(Report.Histogram(title: "latency", unit: "time", ranges: ranges)))
    #expect(check.all("td", class: "n").map(\.text) == ["[1 ms, 2 ms)", "3", "[2 ms, 4 ms)", "0", "[4 ms, 8 ms)", "6"])
    #expect(check.all("i").map { $0.attributes["style"] } == ["width:50%", "width:0%", "width:100%"])
    #expect(check.all("table", class: "sortable").isEmpty)
  }

  @Test func timelinesMarkLosses() throws {
    let series = [
      Report.Timeline.Series(name: "a", counts: [4, 0, 2]), Report.Timeline.Series(name: "b", counts: [1]),
    ]
    let check = try check(.timeline(Report.Timeline(step: 2, series: series, lost: [0, 7])))
    #expect(check.all("rect", class: "e").count == 3)
    let lost = check.all("rect", class: "lost")
    #expect(lost.count == 2 && lost.allSatisfy { $0.attributes["x"] == "33.33%" })
    #expect(check.all("title").contains { $0.text == "2 s: 7 lost" })
    #expect(check.all("figcaption").map(\.text) == ["a ", "b "])
    #expect(check.all("p", class: "bad").map(\.text) == ["7 events were lost where the charts are red."])
  }

  @Test func holdsFlameGraphsWithOneScript() throws {
    var graph = FlameGraph(title: "cpu")
    graph.add([Frame("main", .user)], count: 2)
    let check = try check(.flameGraph(graph), .flameGraph(graph), .text(title: "printed", "<i>&"))
    #expect(check.all("svg", class: "flame").map { $0.attributes["id"] } == ["flame1", "flame2"])
    #expect(check.all("script").count == 1 && check.all("svg", class: "f").count == 4)
    #expect(check.all("pre").map(\.text) == ["<i>&"])
  }

  @Test func everySectionIsLinked() throws {
    let check = try check(.text(title: "one", ""), .text(title: "two", ""))
    let links = check.all("a").compactMap { $0.attributes["href"] }
    #expect(links.map { String($0.dropFirst()) } == check.all("section").compactMap { $0.attributes["id"] })
  }

  @Test(arguments: ["</script><script>alert(1)</script>", "<!--", "]]>", "\u{0}\u{1b}c", "\"><img src=x onerror=y>"])
  func hostileTextIsText(_ text: String) throws {
    let check = try check(
      .table(Report.EventTable(title: text, columns: [text], rows: [[text]], total: 1)),
      .bars(Report.BarTable(title: text, headings: [text], rows: [.init(key: [text], cells: [.init(text)], size: 1)])),
      .histogram(Report.Histogram(title: text, unit: text, ranges: [(text, 1)])),
      .timeline(Report.Timeline(step: 1, series: [.init(name: text, counts: [1])], lost: [])),
      .text(title: text, text), facts: [Report.Fact(text, text)])
    #expect(check.all("script").count == 1 && check.all("img").isEmpty)
  }
}
