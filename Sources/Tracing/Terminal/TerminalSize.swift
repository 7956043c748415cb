import Glibc

/// The columns and rows of a terminal's window, asked for each time because windows change.
struct TerminalSize: Equatable {
  var columns: Int
  var rows: Int

  /// Of the terminal behind a descriptor; 80 by 24 where it does not say.
  init(of descriptor: Int32) {
    var size = winsize()
    let isKnown = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 && size.ws_row > 0
    self.init(columns: isKnown ? Int(size.ws_col) : 80, rows: isKnown ? Int(size.ws_row) : 24)
  }

  init(columns: Int, rows: Int) {
    self.columns = columns
    self.rows = rows
  }
}
