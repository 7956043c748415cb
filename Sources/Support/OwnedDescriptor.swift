import Glibc

/// A file descriptor with one owner, closed when the owner lets go of it.
public struct OwnedDescriptor: ~Copyable, Sendable {
  public let number: Int32

  /// Takes ownership of an open descriptor.
  public init(_ number: Int32) {
    self.number = number
  }

  /// Gives the descriptor away; the caller closes it.
  public consuming func take() -> Int32 {
    let number = self.number
    discard self
    return number
  }

  deinit {
    close(number)
  }
}
