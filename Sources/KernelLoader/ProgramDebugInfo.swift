import BPFAssembly
import CLibbpf
import Support

/// Function and line records of one program, at addresses that stay until the kernel has read them.
final class ProgramDebugInfo {
  let functions: UnsafeMutableBufferPointer<bpf_func_info>
  let lines: UnsafeMutableBufferPointer<bpf_line_info>
  let types: ProgramTypes

  /// - Parameter name: the program's, a C identifier.
  init(of probe: ProbeProgram, name: String, types: ProgramTypes) {
    self.types = types
    functions = Self.copy(
      probe.entries.map { bpf_func_info(insn_off: UInt32($0), type_id: types.function(name, at: $0)) })
    lines = Self.copy(Self.lines(of: probe, types))
  }

  deinit {
    functions.deallocate()
    lines.deallocate()
  }

  private static func copy<Record>(_ records: [Record]) -> UnsafeMutableBufferPointer<Record> {
    let buffer = UnsafeMutableBufferPointer<Record>.allocate(capacity: records.count)
    _ = buffer.initialize(from: records)
    return buffer
  }

  /// A record wherever another line begins, and at the start of every function, which the kernel insists on.
  private static func lines(of probe: ProbeProgram, _ types: ProgramTypes) -> [bpf_line_info] {
    guard var line = probe.lines.first else { return [] }
    let entries = Set(probe.entries)
    var records: [bpf_line_info] = []
    var last: ProbeProgram.SourceLine?
    var isSecondSlot = false
    for (index, instruction) in probe.instructions.enumerated() {
      defer { isSecondSlot = !isSecondSlot && instruction.isWide }
      if isSecondSlot { continue }
      line = probe.line(of: index) ?? line
      guard line != last || entries.contains(index) else { continue }
      records.append(record(line, at: index, types))
      last = line
    }
    return records
  }

  private static func record(_ line: ProbeProgram.SourceLine, at index: Int, _ types: ProgramTypes) -> bpf_line_info {
    // The kernel keeps the line in 22 bits above the column's 10 (BPF_LINE_INFO_LINE_NUM in linux/bpf.h).
    bpf_line_info(
      insn_off: UInt32(index), file_name_off: types.text(line.file), line_off: types.text(line.text),
      line_col: UInt32(truncatingIfNeeded: line.line) << 10)
  }
}
