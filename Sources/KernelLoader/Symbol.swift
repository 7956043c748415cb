/// A name for an address.
public struct Symbol: Equatable, Sendable {
  /// The function that the address lies in.
  public var name: String
  /// Bytes from the function's start.
  public var offset: UInt64
  /// The file or kernel module that it belongs to; nil for the kernel itself and for code that was made at run time.
  public var module: String?

  public init(name: String, offset: UInt64, module: String? = nil) {
    self.name = name
    self.offset = offset
    self.module = module
  }
}

extension Symbol: CustomStringConvertible {
  /// `name+0x1f`, as the kernel writes it; without the offset at a function's start.
  public var description: String {
    offset == 0 ? name : "\(name)+0x\(String(offset, radix: 16))"
  }
}
