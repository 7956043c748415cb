import Glibc

/// Sizes of ring buffers, in bytes.
public enum RingSize {
  /// What a ring gets that declares no size: 8 MiB.
  public static let standard = 8 << 20

  /// The largest size that the kernel's 32-bit `max_entries` can say.
  static let largest = 1 << 31

  /// The next size that the kernel takes: a power of two and at least a page.
  public static func rounded(_ bytes: Int) -> Int {
    var size = Int(getpagesize())
    while size < bytes, size < largest { size *= 2 }
    return size
  }
}
