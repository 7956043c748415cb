/// The C memory of one decode plan, freed all at once.
public final class PlanMemory {
  private var blocks: [UnsafeMutableRawPointer] = []

  public init() {}

  /// Copies trivial C values; they keep their address for the life of this object.
  public func array<Value: BitwiseCopyable>(_ values: [Value]) -> UnsafePointer<Value> {
    let block = UnsafeMutablePointer<Value>.allocate(capacity: max(values.count, 1))
    block.initialize(from: values, count: values.count)
    blocks.append(UnsafeMutableRawPointer(block))
    return UnsafePointer(block)
  }

  /// A NUL-terminated copy and its length; a NUL inside ends the text.
  public func text(_ text: String) -> (start: UnsafePointer<CChar>, length: UInt32) {
    let bytes = text.utf8.prefix { $0 != 0 }.map { CChar(bitPattern: $0) }
    return (array(bytes + [0]), UInt32(clamping: bytes.count))
  }

  deinit {
    for block in blocks { block.deallocate() }
  }
}
