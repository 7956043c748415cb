extension Report {
  /// The page: one file that loads nothing, readable without a script too.
  public func html() -> String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8"/>
    <meta name="viewport" content="width=device-width, initial-scale=1"/>
    <meta name="color-scheme" content="light dark"/>
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; \
    script-src 'unsafe-inline'"/>
    <title>\(escaped(title))</title>
    <style>\(ReportStyle.text)\(FlameStyle.text)</style>
    </head>
    <body>
    <header>
    <h1>\(escaped(title))</h1>
    <dl>
    \(facts.map { "<div><dt>\(escaped($0.name))</dt><dd>\(escaped($0.value))</dd></div>" }.joined(separator: "\n"))
    </dl>
    \(contents)
    </header>
    <main>
    \(sections.enumerated().map { section($0.element, number: $0.offset + 1) }.joined(separator: "\n"))
    </main>
    <script>\(ReportScript.text)\(FlameScript.text)</script>
    </body>
    </html>

    """
  }

  private var contents: String {
    if sections.isEmpty { return "<p class=\"note\">Nothing was counted and no event came.</p>" }
    let links = sections.enumerated().map { number, section in
      "<li><a href=\"#s\(number + 1)\">\(escaped(section.title))</a></li>"
    }
    return "<nav aria-label=\"contents\"><ul>\(links.joined())</ul></nav>"
  }

  private func section(_ section: Section, number: Int) -> String {
    let body =
      switch section {
      case .timeline(let timeline): timeline.html()
      case .table(let table): table.html()
      case .bars(let bars): bars.html()
      case .histogram(let histogram): histogram.html()
      case .flameGraph(let graph):
        "<div class=\"scroll\">\(graph.element(name: "flame\(number)", script: false))</div>"
      case .text(_, let text): "<pre class=\"scroll\">\(escaped(text))</pre>"
      }
    return "<section id=\"s\(number)\">\n<h2>\(escaped(section.title))</h2>\n\(body)\n</section>"
  }
}

extension Report.Section {
  fileprivate var title: String {
    switch self {
    case .timeline: "Events over time"
    case .table(let table): table.title
    case .bars(let bars): bars.title
    case .histogram(let histogram): histogram.title
    case .flameGraph(let graph): "Flame graph: \(graph.title)"
    case .text(let title, _): title
    }
  }
}
