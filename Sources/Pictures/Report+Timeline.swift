extension Report.Timeline {
  private static let height = 72

  func html() -> String {
    let steps = max(1, series.map(\.counts.count).max() ?? 1, lost.count)
    return series.map { chart($0, steps: steps) }.joined(separator: "\n") + losses
  }

  private func chart(_ series: Series, steps: Int) -> String {
    let most = series.counts.max() ?? 0
    let total = grouped(series.counts.reduce(0, &+))
    let rate = decimal(Double(most) / Double(step), digits: 1)
    return """
      <figure>
      <figcaption>\(escaped(series.name)) <span>\(total) events, at most \(rate) a second</span></figcaption>
      <svg class="time" width="100%" height="\(Self.height)" role="img" aria-label="\(escaped(series.name)) over time">
      \(series.counts.enumerated().compactMap { bar($0.offset, $0.element, most, steps) }.joined(separator: "\n"))
      \(lost.enumerated().compactMap { mark($0.offset, $0.element, steps) }.joined(separator: "\n"))
      </svg>
      <div class="axis"><span>0 s</span><span>\(steps * step) s</span></div>
      </figure>
      """
  }

  private func bar(_ index: Int, _ count: Int64, _ most: Int64, _ steps: Int) -> String? {
    guard count > 0, most > 0 else { return nil }
    let height = max(1, Double(count) / Double(most) * Double(Self.height))
    return rectangle("e", index, steps, height, "\(grouped(count)) events")
  }

  private func mark(_ index: Int, _ count: Int64, _ steps: Int) -> String? {
    count > 0 ? rectangle("lost", index, steps, Double(Self.height), "\(grouped(count)) lost") : nil
  }

  private func rectangle(_ name: String, _ index: Int, _ steps: Int, _ height: Double, _ text: String) -> String {
    let (left, width) = (Double(index) / Double(steps), 1 / Double(steps))
    let top = decimal(Double(Self.height) - height)
    return "<rect class=\"\(name)\" x=\"\(percent(left))\" width=\"\(percent(width))\" y=\"\(top)\" "
      + "height=\"\(decimal(height))\"><title>\(index * step) s: \(text)</title></rect>"
  }

  private var losses: String {
    let sum = lost.reduce(0, &+)
    return sum == 0 ? "" : "\n<p class=\"note bad\">\(grouped(sum)) events were lost where the charts are red.</p>"
  }
}
