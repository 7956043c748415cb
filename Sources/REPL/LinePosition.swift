/// Where the end of a text comes to stand on a terminal, as libedit draws it (re_addc in refresh.c).
struct LinePosition {
  let columns: Int
  private(set) var row = 0
  private var column = 0

  /// - Parameter start: the columns of the prompt.
  init(columns: Int, start: Int) {
    self.columns = max(1, columns)
    advance(by: start)
  }

  /// Takes the next character, and how wide it is when it can be printed.
  mutating func add(_ scalar: UInt32, width: Int) {
    switch scalar {
    case 0x0a: newRow()
    case 0x09: advance(by: 8 - column % 8)
    case 0..<0x20, 0x7f: advance(by: 2)  // ^A
    default:
      if column + width > columns { newRow() }
      advance(by: width)
    }
  }

  private mutating func newRow() {
    row += 1
    column = 0
  }

  private mutating func advance(by width: Int) {
    row += (column + width) / columns
    column = (column + width) % columns
  }
}
