// How it is drawn. Each frame is an <svg> of its own, placed in percent of the width: so the picture fits any screen, a
// frame's text is cut at its edge, and both work without a script.
extension FlameGraph {
  private static let rowHeight = 18
  private static let head = 92
  private static let foot = 8

  /// The whole picture as one SVG file that needs nothing else: a search box, zoom by click, and a tooltip for each
  /// frame. `#s=TEXT` behind its address searches, `#z=NAME` zooms into the widest frame of that name.
  public func svg() -> String {
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + element(name: "flame")
  }

  /// The same as an element of a page.
  ///
  /// - Parameter name: stands for it in the address; letters and digits.
  /// - Parameter script: false where the page has ``FlameScript`` already.
  func element(name: String, script: Bool = true) -> String {
    let boxes = layout()
    let depth = boxes.map { nodes[$0.node].depth }.max() ?? 0
    let height = Self.head + (depth + 1) * Self.rowHeight + Self.foot
    return """
      <svg xmlns="http://www.w3.org/2000/svg" class="flame" id="\(name)" width="100%" height="\(height)" \
      data-total="\(total)" data-unit="\(escaped(unit))" role="img" aria-label="\(escaped(label))">
      <title>\(escaped(title))</title>
      \(script ? "<style>\(FlameStyle.text)</style>\n<rect class=\"sheet\" width=\"100%\" height=\"100%\"/>" : "")
      <g class="frames">
      \(boxes.map { frame($0, depth: depth) }.joined(separator: "\n"))
      </g>
      \(total == 0 ? "<text class=\"none\" x=\"10\" y=\"104\">no \(escaped(unit))</text>" : "")
      \(controls(boxes))
      \(script ? "<script><![CDATA[\(FlameScript.text)]]></script>" : "")
      </svg>

      """
  }

  private var label: String { "Flame graph \(title): \(grouped(total)) \(unit)" }

  private func controls(_ boxes: [Box]) -> String {
    """
    <foreignObject x="0" y="0" width="100%" height="\(Self.head - 4)">
    <div xmlns="http://www.w3.org/1999/xhtml" class="bar">
    <div class="name">\(escaped(title)) <span>\(grouped(total)) \(escaped(unit))\(omission(boxes))</span></div>
    <div class="tools"><input type="search" placeholder="search (regular expression)" aria-label="search" disabled="" \
    /><button type="button" disabled="">reset</button><span class="found"></span></div>
    <div class="about" aria-live="polite"></div>
    </div>
    </foreignObject>
    """
  }

  private func omission(_ boxes: [Box]) -> String {
    let hidden = nodes.count - boxes.count
    return hidden > 0 && total > 0 ? ", \(grouped(Int64(hidden))) narrow frames left out" : ""
  }

  private func frame(_ box: Box, depth: Int) -> String {
    let node = nodes[box.node]
    let top = Self.head + (depth - node.depth) * Self.rowHeight
    let name = escaped(node.frame.name)
    // A narrower one shows no letter; after a zoom the script writes it.
    let text = box.width > 0.004 ? "<text x=\"3\" y=\"13\">\(name)</text>" : ""
    return """
      <svg class="f \(node.frame.colour)" x="\(share(box.start))" y="\(top)" width="\(share(box.width))" \
      height="\(Self.rowHeight - 1)" data-d="\(node.depth)" data-c="\(node.total)">\
      <title>\(name)\n\(grouped(node.total)) \(escaped(unit)), \(percent(Double(node.total) / Double(total)))</title>\
      <rect width="100%" height="100%"/>\(text)</svg>
      """
  }

  private func share(_ value: Double) -> String { decimal(value * 100, digits: 4) + "%" }
}

extension Frame {
  /// A class of ``FlameStyle``: the place decides the hue, the name alone the shade, so that a function looks the same in
  /// every picture.
  var colour: String {
    let shade = FlameStyle.shade(of: name)
    switch place {
    case .group: return "g"
    case .user: return "u\(shade)"
    case .kernel: return "k\(shade)"
    }
  }
}
