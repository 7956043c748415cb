import CEventCore

/// Prints the records of a source that no handler takes.
protocol RecordPrinter: AnyObject {
  /// Prints at most `limit` records; how many there were.
  func drain(_ source: UnsafeMutablePointer<mt_source>, limit: UInt64) -> UInt64
}

extension EventPrinter: RecordPrinter {}
