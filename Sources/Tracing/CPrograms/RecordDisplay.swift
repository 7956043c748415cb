import BTF
import KernelLoader
import Packages
import Support

/// How the buffers of a C program that runs by itself are shown: its records' columns, names and stacks.
struct RecordDisplay {
  let meta: PackageMeta?
  /// Whether each record says which buffer it comes from.
  let hasLabels: Bool

  init(_ object: BPFObject, _ meta: PackageMeta?) {
    self.meta = meta
    hasLabels = object.maps.count(where: \.isEventBuffer) > 1
  }

  /// Pages of data for each CPU of a perf buffer, a power of two.
  var perfPages: Int {
    let wanted = min(max(meta?.perfBufferPages ?? RecordStream.perfPages, 1), Self.mostPages)
    return 1 << (Int.bitWidth - (wanted - 1).leadingZeroBitCount)
  }

  /// 64 MiB a CPU.
  private static let mostPages = 1 << 14

  /// - Parameter record: how the records read; nil when nothing says so.
  func printer(
    _ record: RecordLayout?, of map: BPFMap, in session: TracingSession
  ) throws(MoontraceError) -> any RecordPrinter {
    let (format, output) = (session.configuration.format, session.output)
    let label = hasLabels ? map.name : nil
    let stacks = try stackMembers(of: record, map)
    guard let record = record ?? (stacks == nil ? nil : StackMembers.standard) else {
      session.diagnostics.noteOnce(
        "the records of '\(map.name)' are shown as bytes, for nothing says how they read (--event '\(map.name)=struct NAME')"
      )
      return HexPrinter(label: label, format: format, output: output)
    }
    let columns = RecordColumns(
      record, label: label, stacks: stacks, symbols: (session.kernelSymbols, session.userSymbols))
    return ProgramRecordPrinter(columns, format: format, output: output)
  }

  private func stackMembers(of record: RecordLayout?, _ map: BPFMap) throws(MoontraceError) -> StackMembers? {
    guard let packaged = meta?.skeleton.maps.first(where: { $0.name == map.name }),
      case .stacks(let fields, let areNamed) = packaged.interpreter
    else { return nil }
    return try StackMembers(
      record ?? StackMembers.standard, fields: fields, areNamed: areNamed, place: "map '\(map.name)': stack_trace")
  }
}
