import BTF
import Support

/// A global variable of a BPF object, read and written from user space.
///
/// Constants (`const volatile`, in `.rodata`) can be set until the object is loaded; `.data` and `.bss` always.
///
/// ```swift
/// try object.global("target_pid")?.write([12, 0, 0, 0])
/// try object.load()
/// ```
public struct GlobalVariable {
  public let name: String
  /// `.rodata`, `.data`, `.bss` or one of their named kin.
  public let section: String
  public let layout: ValueLayout
  /// Bytes from the start of the section.
  public let offset: Int
  /// Bytes.
  public let size: Int
  /// Its type as C spells it.
  public let typeName: String
  let data: GlobalSection

  /// Whether the value is fixed once the object is loaded.
  public var isConstant: Bool { data.isReadOnly }

  /// Calls `body` with the variable's own bytes: the initial image before the load, the kernel's memory afterwards.
  /// The pointer is valid during the call only.
  public func withBytes<Result>(
    _ body: (UnsafeRawBufferPointer) -> Result
  ) throws(MoontraceError) -> Result {
    body(UnsafeRawBufferPointer(try bytes(forWriting: false)))
  }

  /// Like `withBytes`, for writing. Throws `.usage` for a constant of a loaded object.
  public func withMutableBytes<Result>(
    _ body: (UnsafeMutableRawBufferPointer) -> Result
  ) throws(MoontraceError) -> Result {
    body(try bytes(forWriting: true))
  }

  /// A copy of the value's bytes.
  public func read() throws(MoontraceError) -> [UInt8] {
    try withBytes { Array($0) }
  }

  /// Replaces the whole value; `bytes` has exactly `size` elements.
  public func write(_ bytes: [UInt8]) throws(MoontraceError) {
    guard bytes.count == size else {
      throw MoontraceError(.usage, "global '\(name)' (\(typeName)) takes \(size) bytes, not \(bytes.count)")
    }
    try withMutableBytes { $0.copyBytes(from: bytes) }
  }

  private func bytes(forWriting: Bool) throws(MoontraceError) -> UnsafeMutableRawBufferPointer {
    let all = try data.bytes(of: name, forWriting: forWriting)
    guard offset >= 0, size >= 0, offset + size <= all.count else {
      throw MoontraceError(.scriptFailed, "global '\(name)' lies outside its section \(section)")
    }
    return UnsafeMutableRawBufferPointer(rebasing: all[offset..<offset + size])
  }
}
