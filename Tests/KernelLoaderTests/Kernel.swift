import CLibbpf
import Glibc
import KernelLoader
import Support
import Testing

/// Questions to the kernel about what tests have loaded.
enum Kernel {
  static func id(of program: BPFProgram) throws -> UInt32 {
    var info = bpf_prog_info()
    var length = UInt32(MemoryLayout<bpf_prog_info>.size)
    try #require(bpf_obj_get_info_by_fd(program.descriptor, &info, &length) == 0)
    return info.id
  }

  static func hasProgram(_ id: UInt32) -> Bool {
    let descriptor = bpf_prog_get_fd_by_id(id)
    if descriptor >= 0 { close(descriptor) }
    return descriptor >= 0
  }

  /// Whether a program goes away; the kernel frees programs from a work queue, so it is asked until it has.
  static func forgets(_ id: UInt32) -> Bool {
    waitUntil { !hasProgram(id) }
  }

  /// The names of all programs that are loaded now, cut to 15 characters by the kernel.
  static func programNames() -> [String] {
    var names: [String] = []
    var id: UInt32 = 0
    while bpf_prog_get_next_id(id, &id) == 0 {
      let descriptor = bpf_prog_get_fd_by_id(id)
      if descriptor < 0 { continue }
      defer { close(descriptor) }
      var info = bpf_prog_info()
      var length = UInt32(MemoryLayout<bpf_prog_info>.size)
      guard bpf_obj_get_info_by_fd(descriptor, &info, &length) == 0 else { continue }
      names.append(withUnsafeBytes(of: info.name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
    }
    return names
  }

  /// Asks again and again for at most a minute.
  static func waitUntil(_ condition: () -> Bool) -> Bool {
    for _ in 0..<60_000 {
      if condition() { return true }
      usleep(1000)
    }
    return condition()
  }
}

extension BPFObject {
  /// Loads, runs the body and closes; then nothing of the object may be left in the kernel.
  func whileLoaded(_ body: () throws -> Void) throws {
    try load()
    let ids = try programs.filter { $0.descriptor >= 0 }.map(Kernel.id)
    #expect(ids.allSatisfy(Kernel.hasProgram))
    defer {
      close()
      #expect(ids.allSatisfy(Kernel.forgets), "programs \(ids) are still in the kernel")
    }
    try body()
  }

  func set(_ name: String, to value: some FixedWidthInteger) throws {
    try #require(global(name), "no global '\(name)'").write(withUnsafeBytes(of: value) { Array($0) })
  }

  func value<Value: FixedWidthInteger>(_ name: String, as type: Value.Type = Value.self) throws -> Value {
    try #require(global(name), "no global '\(name)'").withBytes { $0.loadUnaligned(as: Value.self) }
  }
}

/// The error that a body throws; fails the test when it throws none.
func failure(
  sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) throws -> MoontraceError {
  try #require(throws: MoontraceError.self, sourceLocation: sourceLocation, performing: body)
}
