import BTF
import CEventCore
import EventStream

/// Output kept in memory, and the text in it.
final class Output {
  var raw = mt_output()

  init() {
    precondition(mt_output_open(&raw, -1))
  }

  var text: String { String(decoding: bytes, as: UTF8.self) }

  var bytes: [UInt8] {
    Array(UnsafeRawBufferPointer(start: raw.bytes, count: raw.length))
  }

  deinit {
    mt_output_close(&raw)
  }
}

/// A record's bytes under a layout, and how they read in each format.
struct Sample {
  let plan: DecodePlan
  var bytes: [UInt8]

  init(_ members: [MemberLayout], size: Int = 0, _ bytes: [UInt8]) {
    plan = DecodePlan(record: RecordLayout(name: "event", size: size, members: members))
    self.bytes = bytes
  }

  /// One member `v` at offset 0.
  init(_ value: ValueLayout, _ bytes: [UInt8]) {
    self.init([MemberLayout(name: "v", offset: 0, value: value)], size: value.size, bytes)
  }

  private func written(_ write: (inout mt_output, UnsafePointer<mt_plan>) -> Void) -> String {
    let output = Output()
    write(&output.raw, plan.plan)
    return output.text
  }

  /// The record alone in memory of its size, so that a sanitizer sees a read beyond it.
  private func withExactBytes(_ body: (UnsafeRawPointer, UInt32) -> Void) {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes.count, alignment: 1)
    defer { memory.deallocate() }
    memory.copyMemory(from: bytes, byteCount: bytes.count)
    body(memory, UInt32(bytes.count))
  }

  var json: String {
    written { output, plan in withExactBytes { mt_output_json_record(&output, plan, $0, $1) } }
  }

  /// The JSON of the only member.
  var value: String {
    written { output, plan in
      withExactBytes { mt_output_json_value(&output, plan.pointee.fields, $0, $1) }
    }
  }

  var csv: String {
    written { output, plan in withExactBytes { mt_output_csv_record(&output, plan, $0, $1) } }
  }

  var csvHeader: String { written { mt_output_csv_header(&$0, $1) } }

  var widths: [UInt16] {
    var widths = [UInt16](repeating: 0, count: Int(plan.plan.pointee.field_count))
    mt_output_table_widths(plan.plan, &widths)
    return widths
  }

  var table: String {
    let widths = widths
    return written { output, plan in withExactBytes { mt_output_table_record(&output, plan, widths, $0, $1) } }
  }

  var tableHeader: String {
    let widths = widths
    return written { mt_output_table_header(&$0, $1, widths) }
  }
}

/// The little-endian bytes of an integer.
func bytes<Value: FixedWidthInteger>(of value: Value) -> [UInt8] {
  withUnsafeBytes(of: value.littleEndian, Array.init)
}

/// Text and zeros up to `count` bytes.
func field(_ text: String, _ count: Int) -> [UInt8] {
  let bytes = Array(text.utf8.prefix(count))
  return bytes + [UInt8](repeating: 0, count: count - bytes.count)
}
