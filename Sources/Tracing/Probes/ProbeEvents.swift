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
  private let streams: [Int]
  /// What the events' types point to.
  private var plans: [DecodePlan] = []
  private var printers: [DataType: EventPrinter] = [:]
  var turns = TurnSize()

  /// - Parameters:
  ///   - ring: the map that programs send to; outlives the events.
  ///   - handlers: of each stream.
  ///   - exitHandler: of the events that end the session.
  init(
    _ schema: ProbeSchema, ring: KernelMap, handlers: [[LuaFunction]], exitHandler: LuaFunction?,
    namer: UnsafePointer<mt_namer>,
    in session: TracingSession
  ) throws(MoontraceError) {
    buffer = try RingBuffer(
      mapDescriptor: ring.descriptor, size: ring.definition.maxEntries, name: ring.definition.name)
    size = ring.definition.maxEntries
    events = LuaEvents(session.runtime)
    streams = schema.events.map(\.stream)
    for type in schema.events {
      let plan = DecodePlan(data: type.record, namer: namer)
      plans.append(plan)
      let printer = type.format == nil ? printer(type.record, plan, session) : nil
      let number = try events.addType(plan: plan.plan, printer: printer, format: type.format, place: type.place)
      if type.stream == ProbeSchema.exitStream, let exitHandler {
        try events.add(exitHandler, toType: number)
      }
      if type.format == nil, handlers.indices.contains(type.stream) {
        for handler in handlers[type.stream] { try events.add(handler, toType: number) }
      }
    }
  }

  /// Types of records that read alike print under one header.
  private func printer(_ type: DataType, _ plan: DecodePlan, _ session: TracingSession) -> LuaEvents.Printer {
    let printer =
      printers[type] ?? EventPrinter(plan: plan, format: session.configuration.format, output: session.output)
    printers[type] = printer
    return LuaEvents.Printer(print: printer.consumer, context: printer.consumerContext)
  }

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
