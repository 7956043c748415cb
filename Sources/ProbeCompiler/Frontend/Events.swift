import BPFAssembly
import Support

// What a probe sends to user space.
extension Frontend {
  /// Sends what the probe function returned; nil sends nothing.
  mutating func sendReturned(_ value: Value) throws(MoontraceError) {
    let value = try decided(value)
    guard isReachable, value != .nil else { return }
    guard case .choice(let choice) = value, choice.alternatives.contains(.nil) else {
      return try send(value, to: stream)
    }
    let rest = choice.alternatives.filter { $0 != .nil }
    guard rest.count == 1 else { throw refusal("the event is a \(value.typeName)", "return one kind of value") }
    let stream = stream
    try onlyIf(.ne, choice.tag, .constant(0)) { frontend throws(MoontraceError) in
      try frontend.send(rest[0], to: stream)
    }
  }

  mutating func send(_ value: Value, to stream: Int, format: [UInt8]? = nil) throws(MoontraceError) {
    var value = try decided(value)
    if value.kind != .object { value = newObject(.table(Table(fields: [Table.Field(name: "value", value: value)]))) }
    let type = columns(of: withNilFields(try dataType(of: value, for: "an event"), of: value), in: stream, format)
    let event = ProbeSchema.EventType(
      stream: stream, record: type, format: format, place: format == nil ? nil : place)
    let number = schema.events.firstIndex(of: event) ?? schema.events.count
    if number == schema.events.count { schema.events.append(event) }
    let size = 8 + type.size
    let record = IROperand.slot(builder.newSlot(size), 0)
    builder.store(record, 0, .constant(Int64(number)))
    try write(value, as: type, to: record, 8)
    let ring = IROperand.map(builder.reference(.events))
    let status = builder.call(.ringbufOutput, ring, record, .constant(Int64(size)), .constant(0))
    let counters = builder.reference(.counters)
    let lost = IROperation.atomic(.add, .mapValue(counters, 0), 0, .constant(1), expected: nil)
    let (failed, after) = (builder.newBlock(isCold: true), builder.newBlock())
    builder.branch(.ne, status, .constant(0), failed, after)
    builder.move(to: failed)
    builder.perform(lost)
    builder.jump(to: after)
    builder.move(to: after)
  }

  /// The record also with the fields that are always nil, such as `k = opt.kernel and kstack or nil`: they are columns,
  /// and reading them gives nil.
  private func withNilFields(_ type: DataType, of value: Value) -> DataType {
    guard case .record(let known) = type, case .object(let id) = value, case .table(let table) = state.heap[id] else {
      return type
    }
    return .record(
      table.fields.map { field in
        known.first { $0.name == field.name } ?? DataType.Field(name: field.name, type: .nothing)
      })
  }

  /// The record with what other records of the stream have, where they go together: one stream, one set of columns.
  private mutating func columns(of type: DataType, in stream: Int, _ format: [UInt8]?) -> DataType {
    guard format == nil, stream != ProbeSchema.exitStream else { return type }
    guard let known = schema.streamRecords[stream] else {
      schema.streamRecords[stream] = type
      return type
    }
    guard let joined = known.joined(type) else { return type }
    schema.streamRecords[stream] = joined
    return joined
  }
}
