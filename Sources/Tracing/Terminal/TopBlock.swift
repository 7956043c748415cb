/// A piece of a live view's picture: a table that can be sorted, or lines of text as they are.
enum TopBlock {
  case text([String])
  case table(TopTable)

  /// By what it is known again in the next picture.
  var identity: String {
    switch self {
    case .text: ""
    case .table(let table): table.columns.joined(separator: "\t")
    }
  }

  /// Lines that it would take; those of its rows, and what stands above them.
  var height: Int {
    switch self {
    case .text(let lines): lines.count
    case .table(let table): table.rows.count + 1
    }
  }
}

/// A table of a live view.
struct TopTable {
  enum Cell: Equatable {
    case integer(Int64)
    case number(Double)
    case text(String)
  }

  /// Which column the rows are sorted by.
  struct Order: Equatable {
    var column: Int
    var isDescending: Bool
  }

  var columns: [String]
  var rows: [[Cell]]
  /// As the rows came; nil when the script has an order of its own.
  var order: Order?

  /// The rows in an order; equal ones stay as they were.
  func sorted(by order: Order?) -> [[Cell]] {
    guard let order, order != self.order, columns.indices.contains(order.column) else { return rows }
    let numbered = rows.enumerated().sorted { a, b in
      let (x, y) = (a.element[order.column], b.element[order.column])
      if x == y { return a.offset < b.offset }
      return order.isDescending ? y.precedes(x) : x.precedes(y)
    }
    return numbered.map(\.element)
  }

  /// The order by a column as one first wants it: numbers from the largest, text from A.
  func firstOrder(by column: Int) -> Order {
    Order(column: column, isDescending: isNumeric(column))
  }

  func isNumeric(_ column: Int) -> Bool {
    rows.contains { $0[column].isNumber } && rows.allSatisfy { $0[column].isNumber || $0[column] == .text("-") }
  }
}

extension TopTable.Cell {
  var isNumber: Bool {
    if case .text = self { false } else { true }
  }

  var text: String {
    switch self {
    case .integer(let value): String(value)
    case .number(let value): hundredths(value)
    case .text(let text): text
    }
  }

  private var value: Double {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    case .text: -.infinity
    }
  }

  /// Text stands before numbers, as `-` does where a value is absent.
  func precedes(_ other: Self) -> Bool {
    switch (self, other) {
    case (.integer(let a), .integer(let b)): a < b
    case (.text(let a), .text(let b)): a < b
    default: value < other.value
    }
  }
}

/// A number with two decimals.
private func hundredths(_ value: Double) -> String {
  guard abs(value) < 1e15 else { return String(value) }
  let number = Int64((value * 100).rounded())
  let rest = number.magnitude % 100
  return (number < 0 ? "-" : "") + "\(number.magnitude / 100)." + (rest < 10 ? "0" : "") + "\(rest)"
}
