import CEventCore
import EventStream
import Glibc
import LuaRuntime
import Pictures
import Support

/// Collects what a run's report (`--report`) shows. Memory stays bounded: the first records of each stream are kept, the
/// rest is counted.
final class RunRecorder {
  /// Bytes of text that the kept records of all streams may take.
  private static let mostBytes = 8 << 20
  private static let mostSections = 500
  /// Bytes that are kept of what the script prints.
  static let mostPrinted = 256 << 10

  private let file: ReservedFile
  private var tables: [RecordTable] = []
  private var taps: [UnsafeMutablePointer<mt_source>: RecordTap] = [:]
  private var room = mostBytes
  private var time = TimeSteps()
  private var lost = StepCounts()
  private var lostTotal: UInt64 = 0
  private let began = formatTime("%Y-%m-%d %H:%M:%S %Z", nanoseconds: nil)
  /// What aggregates show, in the order in which they were handed over.
  private var sections: [Report.Section] = []

  /// Throws a usage error when nothing can be written to `path`.
  init(path: String) throws(MoontraceError) {
    do throws(MoontraceError) {
      file = try ReservedFile(path)
    } catch {
      throw MoontraceError(.usage, "--report: \(error.message)", remedy: error.remedy)
    }
  }

  /// The probes are live: time starts to count.
  func begin() { time.restart() }

  /// A source with the records of `source`, which the recorder sees as they pass.
  func tap(
    _ source: UnsafeMutablePointer<mt_source>, of buffer: any RecordConsumer
  ) -> UnsafeMutablePointer<mt_source> {
    // Another buffer may be where a closed one was.
    if let tap = taps[source], tap.buffer === buffer { return tap.source }
    let tap = RecordTap(source, of: buffer, recorder: self)
    taps[source] = tap
    return tap.source
  }

  /// The table for records of a kind: kinds that read alike and have one name share it.
  func table(for kind: RecordKind) -> RecordTable? {
    let columns = kind.columns
    if let known = tables.first(where: { $0.name == kind.name && $0.columns == columns }) { return known }
    guard let table = RecordTable(name: kind.name, columns: columns) else { return nil }
    tables.append(table)
    return table
  }

  /// Counts a record, and keeps it while there is room.
  func add(
    to table: RecordTable, _ plan: UnsafePointer<mt_plan>?, _ data: UnsafeRawPointer?, _ size: UInt32
  ) {
    room -= table.add(plan, data, size, time: &time, room: room)
  }

  /// Learns how many events have been lost so far.
  func lostSoFar(_ total: UInt64) {
    guard total > lostTotal else { return }
    lost.add(Int64(clamping: total - lostTotal), at: time.current(), seconds: time.seconds)
    lostTotal = total
  }

  /// Takes a section of the page; a flame graph takes the place of an earlier one with its title.
  func add(_ section: Report.Section) {
    if case .flameGraph(let graph) = section {
      sections.removeAll { if case .flameGraph(let other) = $0 { other.title == graph.title } else { false } }
    }
    if sections.count < Self.mostSections { sections.append(section) }
  }

  /// Writes the page.
  func write(title: String, delivered: UInt64, printed: [UInt8]) throws(MoontraceError) {
    var report = Report(title: title, facts: facts(delivered))
    if let timeline { report.sections.append(.timeline(timeline)) }
    report.sections += sections
    report.sections += tables.compactMap(\.section).map(Report.Section.table)
    if !printed.isEmpty {
      report.sections.append(.text(title: "What the script printed", String(decoding: printed, as: UTF8.self)))
    }
    do throws(SystemError) {
      try file.write(Array(report.html().utf8))
    } catch {
      throw MoontraceError(.scriptFailed, "--report: \(error)")
    }
  }

  private var timeline: Report.Timeline? {
    if tables.isEmpty, lostTotal == 0 { return nil }
    let seconds = time.seconds
    let series = tables.map { Report.Timeline.Series(name: $0.name, counts: $0.steps.folded(to: seconds)) }
    return Report.Timeline(step: seconds, series: series, lost: lost.folded(to: seconds))
  }

  private func facts(_ delivered: UInt64) -> [Report.Fact] {
    var about = utsname()
    uname(&about)
    let tenths = Int64((time.elapsed * 10).rounded())
    return [
      Report.Fact("Command", commandLine()), Report.Fact("Host", Self.text(of: about.nodename)),
      Report.Fact("Kernel", "\(Self.text(of: about.sysname)) \(Self.text(of: about.release))"),
      Report.Fact("Started", began), Report.Fact("Duration", "\(tenths / 10).\(tenths % 10) s"),
      Report.Fact("Events", "\(delivered)"), Report.Fact("Lost", "\(lostTotal)"),
    ]
  }

  private static func text<Field>(of field: Field) -> String {
    withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}

/// This process's command line as a shell would read it.
private func commandLine() -> String {
  let words = ((try? readFile("/proc/self/cmdline")) ?? []).split(separator: 0, omittingEmptySubsequences: false)
  return words.dropLast().map { shellWord(String(decoding: $0, as: UTF8.self)) }.joined(separator: " ")
}

private func shellWord(_ text: String) -> String {
  let plain = text.utf8.allSatisfy { byte in
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || "0123456789_-./=:,%+@".utf8.contains(byte)
  }
  return plain && !text.isEmpty ? text : "'" + text.replacing("'", with: "'\\''") + "'"
}
