import CEventCore
import EventStream
import KernelLoader
import LuaRuntime
import ProbeCompiler
import Support

/// The events of a script's probes: one ring buffer for all, so that they come in the order in which they were sent.
final class ProbeEvents: RecordConsumer {
  private let buffer: RingBuffer
  private let size: Int
  private let events: LuaEvents
  private unowned let session: TracingSession
  private let exitHandler: LuaFunction?
  private let namer: UnsafePointer<mt_namer>
  /// By the event's number.
  private var streams: [Int] = []
  private var kinds: [RecordKind?] = []
  /// What the events' types point to.
  private var plans: [DecodePlan] = []
  private var printers: [DataType: EventPrinter] = [:]
  var turns = TurnSize()

  /// - Parameters:
  ///   - ring: the map that programs send to; outlives the events.
  ///   - exitHandler: of the events that end the session.
  init(
    ring: KernelMap, exitHandler: LuaFunction?, namer: UnsafePointer<mt_namer>, in session: TracingSession
  ) throws(MoontraceError) {
    buffer = try RingBuffer(
      mapDescriptor: ring.descriptor, size: ring.definition.maxEntries, name: ring.definition.name)
    size = ring.definition.maxEntries
    events = LuaEvents(session.runtime)
    self.session = session
    self.exitHandler = exitHandler
    self.namer = namer
  }

  /// Takes in the events of a schema that are new, and the handlers of their streams.
  func addTypes(of schema: ProbeSchema, handlers: [[LuaFunction]]) throws(MoontraceError) {
    for type in schema.events.dropFirst(streams.count) {
      let plan = DecodePlan(data: type.record, namer: namer)
      plans.append(plan)
      let printer = type.format == nil ? printer(type.record, plan) : nil
      let number = try events.addType(plan: plan.plan, printer: printer, format: type.format, place: type.place)
      streams.append(type.stream)
      if type.stream == ProbeSchema.exitStream, let exitHandler { try events.add(exitHandler, toType: number) }
      if type.format == nil, handlers.indices.contains(type.stream) {
        for handler in handlers[type.stream] { try events.add(handler, toType: number) }
      }
    }
    kinds = Self.kinds(schema, plans, session.probes)
  }

  /// Types of records that read alike print under one header.
  private func printer(_ type: DataType, _ plan: DecodePlan) -> LuaEvents.Printer {
    let printer =
      printers[type] ?? EventPrinter(plan: plan, format: session.configuration.format, output: session.output)
    printers[type] = printer
    return LuaEvents.Printer(print: printer.consumer, context: printer.consumerContext)
  }

  /// Called after the probes that send them.
  private static func kinds(_ schema: ProbeSchema, _ plans: [DecodePlan], _ probes: ProbeSet) -> [RecordKind?] {
    zip(schema.events, plans).map { type, plan in
      if type.stream == ProbeSchema.exitStream { return nil }
      if type.format != nil { return RecordKind(name: "print", plan: nil) }
      return RecordKind(name: probes.name(ofStream: type.stream), plan: plan)
    }
  }

  func kindNumber(_ data: UnsafeRawPointer, _ size: UInt32) -> (number: Int, offset: UInt32) {
    size < 8 ? (-1, 0) : (Int(truncatingIfNeeded: data.loadUnaligned(as: UInt64.self)), 8)
  }

  func kind(_ number: Int) -> RecordKind? { kinds.indices.contains(number) ? kinds[number] : nil }

  /// Adds a handler to a stream while events come.
  func add(_ handler: LuaFunction, toStream stream: Int) throws(MoontraceError) {
    for (number, owner) in streams.enumerated() where owner == stream { try events.add(handler, toType: number) }
  }

  /// Whether the buffer holds what comes while the loop rests.
  var isRoomy: Bool { size >= RecordStream.roomyRing }

  var descriptors: [Int32] { buffer.descriptors }

  var sources: [UnsafeMutablePointer<mt_source>] { buffer.sources }

  func drain(
    _ source: UnsafeMutablePointer<mt_source>, limit: UInt64
  ) -> (delivered: UInt64, failure: LuaFailure?) {
    events.drain(source, limit: limit)
  }
}
