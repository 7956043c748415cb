import CEventCore
import EventStream
import Pictures

/// The records of one stream as a report shows them: the first ones as text, how many there were, and when.
final class RecordTable {
  /// Records that a report shows of each stream.
  static let mostRows = 10_000

  let name: String
  let columns: [String]
  private(set) var total: Int64 = 0
  private(set) var steps = StepCounts()
  private var rowCount = 0
  /// The rows as CSV: compact until the report is made.
  private let text: UnsafeMutablePointer<mt_output>

  /// nil when memory is exhausted.
  init?(name: String, columns: [String]) {
    self.name = name
    self.columns = columns
    text = .allocate(capacity: 1)
    guard mt_output_open(text, -1) else {
      text.deallocate()
      return nil
    }
  }

  deinit {
    mt_output_close(text)
    text.deallocate()
  }

  /// Counts a record; its text is kept while `room` (bytes) lasts. How many bytes that took.
  func add(
    _ plan: UnsafePointer<mt_plan>?, _ data: UnsafeRawPointer?, _ size: UInt32, time: inout TimeSteps, room: Int
  ) -> Int {
    total += 1
    steps.add(1, at: time.current(), seconds: time.seconds)
    guard let plan, rowCount < Self.mostRows, room > 0 else { return 0 }
    let before = text.pointee.length
    mt_output_csv_record(text, plan, data, size)
    rowCount += 1
    return text.pointee.length - before
  }

  /// nil when its records have no columns, as those of `printf`.
  var section: Report.EventTable? {
    if columns.isEmpty { return nil }
    let bytes = UnsafeRawBufferPointer(start: text.pointee.bytes, count: text.pointee.length)
    var reader = CSVReader(bytes: bytes)
    let rows = reader.rows().filter { $0.count == columns.count }
    return Report.EventTable(title: name, columns: columns, rows: rows, total: total)
  }
}
