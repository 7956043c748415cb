import BTF
import CEventCore
import EventStream
import KernelLoader
import LuaRuntime
import Support

/// A ring or perf buffer of an object, and who takes its records: the script's handlers, or the printer when there
/// are none.
final class RecordStream {
  typealias Source = UnsafeMutablePointer<mt_source>

  let name: String
  private let map: BPFMap
  private unowned let object: BPFObject
  private unowned let session: TracingSession
  private var buffer: (any EventBuffer)?
  private var handlers: LuaStream?
  private var printer: EventPrinter?
  private var typeName: String?
  private var plan: DecodePlan?

  init(_ map: BPFMap, of object: BPFObject, in session: TracingSession) {
    self.map = map
    self.object = object
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

  private func setType(_ name: String) throws(MoontraceError) {
    guard self.typeName == nil || self.typeName == name else {
      throw MoontraceError(
        .scriptFailed, "buffer '\(self.name)': its records are read as \(self.typeName ?? "") already")
    }
    typeName = name
    plan = try namedRecord(name).map { DecodePlan(record: $0) }
    if plan == nil {
      let known = object.types.names(.struct)
      let bare = name.split(separator: " ").last.map(String.init) ?? name
      throw MoontraceError(
        .scriptFailed, "\(object.name): no type '\(name)' in its BTF\(suggestionHint(for: bare, in: known))",
        remedy: "a type stays in the BTF when a map's definition names it: __type(value, \(name))")
    }
  }

  private func namedRecord(_ name: String) throws(MoontraceError) -> RecordLayout? {
    let words = name.split(separator: " ")
    guard let bare = words.last.map(String.init) else { return nil }
    let id =
      switch words.count > 1 ? words[0] : "" {
      case "struct": object.types.find(bare, .struct)
      case "union": object.types.find(bare, .union)
      default: object.types.find(bare, .typedef, .struct)
      }
    guard let id, case .record(let record) = try object.types.layout(of: id) else { return nil }
    return record
  }

  /// How a record reads. Throws when nothing says so.
  private func recordPlan() throws(MoontraceError) -> DecodePlan {
    if let plan { return plan }
    guard case .record(let record)? = map.value else {
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
    for descriptor in opened.descriptors {
      try session.loop.addSource(descriptor: descriptor) { [unowned self] in session.drain(self) }
    }
  }

  /// Pages of data for each CPU of a perf buffer: 256 KiB.
  private static let perfPages = 64

  private func openPerfBuffer() throws(MoontraceError) -> PerfBuffer {
    let descriptor = map.descriptor
    return try PerfBuffer(pages: Self.perfPages, name: name) { cpu, event throws(MoontraceError) in
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
    handlers = nil
  }

  var sources: [Source] { buffer?.sources ?? [] }

  /// Losses that the kernel reports in the buffer itself.
  var reportedLosses: UInt64 { buffer?.lost ?? 0 }

  // MARK: Records

  /// Hands at most `limit` records of a source over. With a failure, the record that failed counts as delivered.
  func drain(_ source: Source, limit: UInt64) -> (delivered: UInt64, failure: LuaFailure?) {
    if let handlers { return handlers.drain(source, limit: limit) }
    do throws(MoontraceError) {
      return (try printing().drain(source, limit: limit), nil)
    } catch {
      // Say it once, and take the records away: nobody can read them.
      return (source.pointee.drain(source, limit, { _, _, _ in true }, nil), .error(error))
    }
  }

  /// Throws when the buffer is open and nobody could read its records.
  func prepare() throws(MoontraceError) {
    if buffer != nil, handlers == nil { _ = try printing() }
  }

  private func printing() throws(MoontraceError) -> EventPrinter {
    if let printer { return printer }
    let made = EventPrinter(
      plan: try recordPlan(), format: session.configuration.format, output: session.output)
    printer = made
    return made
  }
}
