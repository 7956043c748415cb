import CEventCore
import EventStream

/// What records of a type are called, and how they read.
struct RecordKind {
  /// The probe or buffer that they come from.
  var name: String
  /// nil when they are no records for people, such as the arguments of `printf`.
  var plan: DecodePlan?

  var columns: [String] {
    guard let plan = plan?.plan.pointee else { return [] }
    return UnsafeBufferPointer(start: plan.fields, count: Int(plan.field_count)).map { String(cString: $0.name) }
  }
}

/// Shows a recorder the records of one source.
final class RecordTap {
  private let tap: UnsafeMutablePointer<mt_tap>
  let buffer: any RecordConsumer
  private unowned let recorder: RunRecorder
  /// By the number of the kind.
  private var kinds: [Int: (plan: DecodePlan?, table: RecordTable)?] = [:]

  init(_ source: UnsafeMutablePointer<mt_source>, of buffer: any RecordConsumer, recorder: RunRecorder) {
    self.buffer = buffer
    self.recorder = recorder
    tap = .allocate(capacity: 1)
    tap.initialize(to: mt_tap())
    mt_tap_open(tap, source, show, Unmanaged.passUnretained(self).toOpaque())
  }

  deinit {
    tap.deallocate()
  }

  /// What is to be drained.
  var source: UnsafeMutablePointer<mt_source> {
    UnsafeMutableRawPointer(tap).assumingMemoryBound(to: mt_source.self)
  }

  fileprivate func see(_ data: UnsafeRawPointer, _ size: UInt32) {
    let (number, offset) = buffer.kindNumber(data, size)
    guard let kind = kind(number) else { return }
    recorder.add(to: kind.table, kind.plan?.plan, data + Int(offset), size - offset)
  }

  private func kind(_ number: Int) -> (plan: DecodePlan?, table: RecordTable)? {
    if let known = kinds[number] { return known }
    let kind = buffer.kind(number).flatMap { kind in recorder.table(for: kind).map { (kind.plan, $0) } }
    kinds[number] = .some(kind)
    return kind
  }
}

private let show: mt_record_fn = { context, data, size in
  guard let context, let data else { return true }
  Unmanaged<RecordTap>.fromOpaque(context).takeUnretainedValue().see(data, size)
  return true
}
