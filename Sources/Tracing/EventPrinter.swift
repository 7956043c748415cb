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
  }

  private let format: OutputFormat
  private var headerIsPrinted = false

  init(plan: DecodePlan, format: OutputFormat, output: Output) {
    self.plan = plan
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
    printHeader()
    return source.pointee.drain(source, limit, consumer, context)
  }

  private func printHeader() {
    guard !headerIsPrinted else { return }
    headerIsPrinted = true
    switch format {
    case .table: mt_output_table_header(context.pointee.output, plan.plan, widths)
    case .csv: mt_output_csv_header(context.pointee.output, plan.plan)
    case .json: break
    }
  }

  private var consumer: mt_record_fn {
    switch format {
    case .table:
      { context, data, size in
        let context = context!.assumingMemoryBound(to: Context.self).pointee
        mt_output_table_record(context.output, context.plan, context.widths, data, size)
        return context.output.pointee.error == 0
      }
    case .json:
      { context, data, size in
        let context = context!.assumingMemoryBound(to: Context.self).pointee
        mt_output_json_record(context.output, context.plan, data, size)
        return context.output.pointee.error == 0
      }
    case .csv:
      { context, data, size in
        let context = context!.assumingMemoryBound(to: Context.self).pointee
        mt_output_csv_record(context.output, context.plan, data, size)
        return context.output.pointee.error == 0
      }
    }
  }
}
