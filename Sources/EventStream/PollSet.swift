import CEventCore
import Glibc
import Support

/// Descriptors that epoll watches, level-triggered, for reading.
final class PollSet {
  private static let batch = 64

  private let epoll: Int32
  private let events: UnsafeMutablePointer<epoll_event>

  init() throws(MoontraceError) {
    let epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard epoll >= 0 else { throw MoontraceError("event loop: epoll_create1", errno) }
    self.epoll = epoll
    events = .allocate(capacity: Self.batch)
  }

  func add(_ descriptor: Int32) throws(MoontraceError) {
    var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(fd: descriptor))
    guard epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0 else {
      throw MoontraceError("event loop: polling descriptor \(descriptor)", errno)
    }
  }

  /// A descriptor that has been closed is gone already; that is no error.
  func remove(_ descriptor: Int32) {
    epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, nil)
  }

  /// Waits `milliseconds` (-1: without end) and calls `ready` for each descriptor that can be read or has hung up.
  /// Returns how many; 0 also when a signal came between.
  func wait(milliseconds: Int32, _ ready: (Int32) -> Void) throws(MoontraceError) -> Int {
    let count = epoll_wait(epoll, events, Int32(Self.batch), milliseconds)
    if count < 0 {
      if errno == EINTR { return 0 }
      throw MoontraceError("event loop: epoll_wait", errno)
    }
    for index in 0..<Int(count) { ready(events[index].data.fd) }
    return Int(count)
  }

  deinit {
    close(epoll)
    events.deallocate()
  }
}
