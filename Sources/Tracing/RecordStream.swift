import BTF
import CEventCore
import EventStream
import KernelLoader
import LuaRuntime
import Support

/// A ring or perf buffer of an object, and who takes its records: the script's handlers, or the printer when there
/// are none.
final class RecordStream: RecordConsumer {
  typealias Source = UnsafeMutablePointer<mt_source>

  let name: String
  private let map: BPFMap
  private unowned let object: BPFObject
  private unowned let session: TracingSession
  private let types: RecordTypes
  /// How the records of a C program that runs by itself are shown; nil in scripts.
  var display: RecordDisplay?
  private var buffer: (any EventBuffer)?
  private var handlers: LuaStream?
  private var printer: (any RecordPrinter)?
  /// What the records are: named by a handler, or else what `RecordTypes` finds.
  private var record: RecordLayout?
  private var plan: DecodePlan?
  var turns = TurnSize()

  init(_ map: BPFMap, of object: BPFObject, types: RecordTypes, in session: TracingSession) {
    self.map = map
    self.object = object
    self.types = types
    self.session = session
    name = map.name
  }

  // MARK: Who takes the records

  /// Adds a handler. `typeName` (`struct event`) says how records read when the map's declaration does not.
  func each(_ handler: LuaFunction, typeName: String?) throws(MoontraceError) {
    if let typeName { try setType(typeName) }
    let stream: LuaStream
    if let handlers {
      stream = handlers
    } else {
      stream = try LuaStream(session.runtime, plan: try recordPlan().plan)
      handlers = stream
    }
    try stream.add(handler)
  }

  /// Handlers share one reading of the records, so the first that says how they read decides.
  private func setType(_ name: String) throws(MoontraceError) {
    guard let named = try types.record(named: name) else { throw types.unknown(name) }
    if handlers != nil, let record, record != named {
      throw MoontraceError(
        .scriptFailed, "\(object.name): the records of '\(self.name)' are read as '\(record.name)' already",
        remedy: "give every handler of a buffer the same type")
    }
    record = named
  }

  /// How a record reads. Throws when nothing says so.
  private func recordPlan() throws(MoontraceError) -> DecodePlan {
    if let plan { return plan }
    if record == nil { record = try types.record(of: map) }
    guard let record else {
      throw MoontraceError(
        .scriptFailed, "\(object.name): nothing says how the records of '\(name)' read",
        remedy: "add __type(value, struct NAME) to the map's definition, or name it: each(fn, \"struct NAME\")")
    }
    let made = DecodePlan(record: record)
    plan = made
    return made
  }

  // MARK: Life

  /// Opens the buffer of the loaded map and lets the loop drain it.
  func open() throws(MoontraceError) {
    let opened: any EventBuffer =
      switch map.shape {
      case .ringBuffer: try RingBuffer(mapDescriptor: map.descriptor, size: map.maxEntries, name: name)
      default: try openPerfBuffer()
      }
    buffer = opened
    let isRoomy = map.shape != .ringBuffer || map.maxEntries >= max(Self.roomyRing, roomForRecords)
    for descriptor in opened.descriptors {
      try session.loop.addSource(descriptor: descriptor, rests: isRoomy) { [unowned self] in session.drain(self) }
    }
  }

  /// Bytes that hold what comes while the loop rests.
  static let roomyRing = 1 << 18

  /// The same for records that are large.
  private var roomForRecords: Int { 1024 * (object.recordSizes[name]?.max() ?? 0) }

  /// Pages of data for each CPU of a perf buffer: 256 KiB.
  static let perfPages = 64

  private func openPerfBuffer() throws(MoontraceError) -> PerfBuffer {
    let descriptor = map.descriptor
    return try PerfBuffer(pages: display?.perfPages ?? Self.perfPages, name: name) {
      cpu, event throws(MoontraceError) in
      var (cpu, event) = (cpu, event)
      let status = MapOperations.update(descriptor, &cpu, &event)
      guard status == 0 else {
        throw MoontraceError(.scriptFailed, "map '\(name)': CPU \(cpu): \(errnoText(-status))")
      }
    }
  }

  func close() {
    for descriptor in buffer?.descriptors ?? [] { session.loop.remove(descriptor: descriptor) }
    buffer = nil
    handlers?.close()
    handlers = nil
  }

  var sources: [Source] { buffer?.sources ?? [] }

  /// Losses that the kernel reports in the buffer itself.
  var reportedLosses: UInt64 { buffer?.lost ?? 0 }

  // MARK: Records

  /// Hands at most `limit` records of a source over. With a failure, the record that failed counts as delivered.
  func drain(_ source: Source, limit: UInt64) -> (delivered: UInt64, failure: LuaFailure?) {
    // A handler may close the object: then there is nothing more to drain, but this source lives until its drain ends.
    guard let buffer else { return (0, nil) }
    defer { withExtendedLifetime(buffer) {} }
    if let handlers { return handlers.drain(source, limit: limit) }
    do throws(MoontraceError) {
      return (try printing().drain(source, limit: limit), nil)
    } catch {
      // Say it once, and take the records away: nobody can read them.
      return (source.pointee.drain(source, limit, { _, _, _ in true }, nil), .error(error))
    }
  }

  func kindNumber(_ data: UnsafeRawPointer, _ size: UInt32) -> (number: Int, offset: UInt32) { (0, 0) }

  func kind(_ number: Int) -> RecordKind? { RecordKind(name: name, plan: try? recordPlan()) }

  /// Makes sure that somebody reads the records of an open buffer.
  func prepare() throws(MoontraceError) {
    if buffer != nil, handlers == nil { _ = try printing() }
  }

  private func printing() throws(MoontraceError) -> any RecordPrinter {
    if let printer { return printer }
    let made = try makePrinter()
    printer = made
    return made
  }

  private func makePrinter() throws(MoontraceError) -> any RecordPrinter {
    if record == nil { record = try types.record(of: map) }
    let (format, output) = (session.configuration.format, session.output)
    if let display { return try display.printer(record, of: map, in: session) }
    if record != nil {
      // A script may have opened the object for something else than its events.
      return EventPrinter(plan: try recordPlan(), format: format, output: output, beginsWithHeader: false)
    }
    session.diagnostics.noteOnce(
      "\(object.name): the records of '\(name)' are shown as bytes, for nothing says how they read "
        + "(add __type(value, struct NAME) to the map's definition, or name it: each(fn, \"struct NAME\"))")
    return HexPrinter(label: nil, format: format, output: output)
  }
}
