import CEventCore
import Glibc
import Support

/// Signals delivered as events of a loop, instead of interrupting the thread anywhere.
///
/// From init to `close()` the signals are blocked in the calling thread, which must be the loop's; the mask is inherited
/// by threads and processes started meanwhile (a child resets it before exec). Other threads must block the signals as
/// well, or must not exist.
///
/// ```swift
/// let signals = try SignalSource(loop: loop) { _ in loop.stop() }
/// defer { signals.close() }
/// ```
public final class SignalSource {
  private let loop: EventLoop
  /// Readable while a signal waits; the source owns it.
  public let descriptor: Int32
  private var previousMask: sigset_t
  private var isOpen = true

  /// Blocks `signals` and calls `handler` with each one's number.
  public init(
    _ signals: [Int32] = [SIGINT, SIGTERM], loop: EventLoop,
    handler: @escaping (Int32) throws(MoontraceError) -> Void
  ) throws(MoontraceError) {
    let (descriptor, previousMask) = try Self.block(signals)
    do throws(MoontraceError) {
      try loop.add(descriptor: descriptor) { () throws(MoontraceError) in
        while let signal = Self.next(descriptor) { try handler(signal) }
      }
    } catch {
      Self.restore(previousMask, closing: descriptor)
      throw error
    }
    self.loop = loop
    self.descriptor = descriptor
    self.previousMask = previousMask
  }

  private static func block(_ signals: [Int32]) throws(MoontraceError) -> (descriptor: Int32, previous: sigset_t) {
    var mask = sigset_t()
    var previous = sigset_t()
    sigemptyset(&mask)
    for signal in signals where sigaddset(&mask, signal) != 0 {
      throw MoontraceError(.usage, "there is no signal \(signal)")
    }
    let descriptor = signalfd(-1, &mask, Int32(SFD_NONBLOCK | SFD_CLOEXEC))
    guard descriptor >= 0 else { throw MoontraceError("event loop: signalfd", errno) }
    pthread_sigmask(SIG_BLOCK, &mask, &previous)
    return (descriptor, previous)
  }

  /// The next signal that waits; nil when there is none.
  private static func next(_ descriptor: Int32) -> Int32? {
    var information = signalfd_siginfo()
    let size = MemoryLayout<signalfd_siginfo>.size
    return read(descriptor, &information, size) == size ? Int32(information.ssi_signo) : nil
  }

  private static func restore(_ mask: sigset_t, closing descriptor: Int32) {
    while next(descriptor) != nil {}
    var mask = mask
    Glibc.close(descriptor)
    pthread_sigmask(SIG_SETMASK, &mask, nil)
  }

  /// Forgets signals that have come since the loop last looked. Does nothing once closed, when the descriptor may be
  /// somebody else's.
  public func discard() {
    while isOpen, Self.next(descriptor) != nil {}
  }

  /// Gives the signals back their ordinary effect. Those that came since the loop last looked are taken as delivered: a
  /// second Ctrl-C during the end must not undo it.
  public func close() {
    guard isOpen else { return }
    isOpen = false
    loop.remove(descriptor: descriptor)
    Self.restore(previousMask, closing: descriptor)
  }

  deinit {
    close()
  }
}
