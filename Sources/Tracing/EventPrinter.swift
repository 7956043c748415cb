import CEventCore
import EventStream

/// Prints the records of a source that no handler takes, in the format the user chose, without leaving C.
final class EventPrinter {
  private let plan: DecodePlan
  private let context: UnsafeMutablePointer<Context>
  private let widths: UnsafeMutablePointer<UInt16>

  private struct Context {
    var plan: UnsafePointer<mt_plan>
    var output: UnsafeMutablePointer<mt_output>
    var widths: UnsafeMutablePointer<UInt16>
    var needsHeader = true

    mutating func printHeader(_ format: OutputFormat) {
      guard needsHeader else { return }
      needsHeader = false
      switch format {
      case .table: mt_output_table_header(output, plan, widths)
      case .csv: mt_output_csv_header(output, plan)
      case .json: break
      }
    }
  }

  private let format: OutputFormat
  private let beginsWithHeader: Bool

  /// - Parameter beginsWithHeader: whether the header comes at once, not only before a record.
  init(plan: DecodePlan, format: OutputFormat, output: Output, beginsWithHeader: Bool = true) {
    self.plan = plan
    self.beginsWithHeader = beginsWithHeader
    self.format = format
    widths = .allocate(capacity: max(1, Int(plan.plan.pointee.field_count)))
    mt_output_table_widths(plan.plan, widths)
    context = .allocate(capacity: 1)
    context.initialize(to: Context(plan: plan.plan, output: output.buffer, widths: widths))
  }

  deinit {
    context.deallocate()
    widths.deallocate()
  }

  /// Prints at most `limit` records; how many there were.
  func drain(_ source: UnsafeMutablePointer<mt_source>, limit: UInt64) -> UInt64 {
    if beginsWithHeader { context.pointee.printHeader(format) }
    return source.pointee.drain(source, limit, consumer, context)
  }

  /// What `consumer` is to be called with.
  var consumerContext: UnsafeMutableRawPointer { UnsafeMutableRawPointer(context) }

  /// Prints one record, before the first one the header.
  var consumer: mt_record_fn {
    switch format {
    case .table:
      { context, data, size in
        guard let context = context?.assumingMemoryBound(to: Context.self) else { return false }
        context.pointee.printHeader(.table)
        mt_output_table_record(context.pointee.output, context.pointee.plan, context.pointee.widths, data, size)
        return context.pointee.output.pointee.error == 0
      }
    case .json:
      { context, data, size in
        guard let context = context?.assumingMemoryBound(to: Context.self) else { return false }
        mt_output_json_record(context.pointee.output, context.pointee.plan, data, size)
        return context.pointee.output.pointee.error == 0
      }
    case .csv:
      { context, data, size in
        guard let context = context?.assumingMemoryBound(to: Context.self) else { return false }
        context.pointee.printHeader(.csv)
        mt_output_csv_record(context.pointee.output, context.pointee.plan, data, size)
        return context.pointee.output.pointee.error == 0
      }
    }
  }
}
