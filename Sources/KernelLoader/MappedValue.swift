import CLibbpf
import Glibc
import Support

/// The one value of an array map whose memory programs and this process share: counters, globals.
///
/// ```swift
/// let counters = try MappedValue(name: "failures", size: 8 * places.count)
/// print(counters.counter(0))
/// ```
public final class MappedValue {
  public let map: KernelMap
  /// The kernel's own memory, as long as this object lives.
  public let bytes: UnsafeRawBufferPointer
  private let length: Int

  public var descriptor: Int32 { map.descriptor }

  /// Creates and maps it, all zero.
  ///
  /// - Parameters:
  ///   - size: bytes.
  ///   - isWritable: whether `write` may be used; programs always may.
  /// - Throws: `.unsupported` on kernels before 5.5, which have no such maps; what `KernelMap` throws.
  public init(name: String, size: Int, isWritable: Bool = false) throws(MoontraceError) {
    let size = max((size + 7) / 8 * 8, 8)
    map = try KernelMap(.value(name: name, size: size, flags: UInt32(BPF_F_MMAPABLE)))
    let page = Int(getpagesize())
    length = (size + page - 1) / page * page
    let protection = isWritable ? PROT_READ | PROT_WRITE : PROT_READ
    guard let address = mmap(nil, length, protection, MAP_SHARED, map.descriptor, 0), address != MAP_FAILED else {
      throw MoontraceError(.unsupported, "map '\(name)' can't be shared with programs: \(errnoText(errno))")
    }
    bytes = UnsafeRawBufferPointer(start: address, count: size)
    self.isWritable = isWritable
  }

  private let isWritable: Bool

  /// The 64-bit counter at `index`; 0 outside. No system call.
  public func counter(_ index: Int) -> UInt64 {
    guard index >= 0, (index + 1) * 8 <= bytes.count else { return 0 }
    return bytes.load(fromByteOffset: index * 8, as: UInt64.self)
  }

  /// Writes 8 bytes at `offset`, which programs see at once; nothing happens outside of the value.
  public func write(_ value: UInt64, at offset: Int) {
    guard isWritable, offset >= 0, offset % 8 == 0, offset + 8 <= bytes.count else { return }
    UnsafeMutableRawPointer(mutating: bytes.baseAddress)?.storeBytes(of: value, toByteOffset: offset, as: UInt64.self)
  }

  deinit {
    munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), length)
  }
}
