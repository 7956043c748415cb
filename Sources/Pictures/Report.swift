/// One page about a run: what happened when, what was counted, which stacks led there.
///
/// ```swift
/// var report = Report(title: "opensnoop", facts: [.init("Kernel", "6.18.5")])
/// report.sections.append(.table(events))
/// try writeFile("out.html", Array(report.html().utf8))
/// ```
public struct Report: Sendable {
  /// A line of the page's head.
  public struct Fact: Sendable {
    public var name: String
    public var value: String

    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  public enum Section: Sendable {
    case timeline(Timeline)
    case table(EventTable)
    case bars(BarTable)
    case histogram(Histogram)
    case flameGraph(FlameGraph)
    case text(title: String, String)
  }

  public var title: String
  public var facts: [Fact]
  public var sections: [Section] = []

  public init(title: String, facts: [Fact] = []) {
    self.title = title
    self.facts = facts
  }
}

extension Report {
  /// How many events came in each step of time.
  public struct Timeline: Sendable {
    public struct Series: Sendable {
      public var name: String
      public var counts: [Int64]

      public init(name: String, counts: [Int64]) {
        self.name = name
        self.counts = counts
      }
    }

    /// Seconds of one step.
    public var step: Int
    public var series: [Series]
    /// Events lost in each step.
    public var lost: [Int64]

    public init(step: Int, series: [Series], lost: [Int64]) {
      self.step = step
      self.series = series
      self.lost = lost
    }
  }

  /// Records as rows.
  public struct EventTable: Sendable {
    public var title: String
    public var columns: [String]
    public var rows: [[String]]
    /// How many there were; more than rows when the rest was left out.
    public var total: Int64

    public init(title: String, columns: [String], rows: [[String]], total: Int64) {
      self.title = title
      self.columns = columns
      self.rows = rows
      self.total = total
    }
  }

  /// A text, and the number that rows are sorted by where the text is not one.
  public struct Cell: Sendable {
    public var text: String
    public var value: Double?

    public init(_ text: String, value: Double? = nil) {
      self.text = text
      self.value = value
    }
  }

  /// What was counted for each key, with a bar for each row.
  public struct BarTable: Sendable {
    public struct Row: Sendable {
      public var key: [String]
      public var cells: [Cell]
      /// What the bar shows, in any unit.
      public var size: Double

      public init(key: [String], cells: [Cell], size: Double) {
        self.key = key
        self.cells = cells
        self.size = size
      }
    }

    public var title: String
    /// Names of the cells.
    public var headings: [String]
    /// Largest first.
    public var rows: [Row]

    public init(title: String, headings: [String], rows: [Row]) {
      self.title = title
      self.headings = headings
      self.rows = rows
    }
  }

  /// How often values of each range were counted.
  public struct Histogram: Sendable {
    public var title: String
    public var unit: String
    public var ranges: [(label: String, count: Int64)]

    public init(title: String, unit: String, ranges: [(label: String, count: Int64)]) {
      self.title = title
      self.unit = unit
      self.ranges = ranges
    }
  }
}
