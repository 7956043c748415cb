import Glibc
import Testing

/// A thread of its own: a task could wait for ever behind tests that block the runner's few threads.
final class Worker {
  private final class Body {
    let run: () -> Void

    init(_ run: @escaping () -> Void) {
      self.run = run
    }
  }

  private var thread = pthread_t()

  init(_ run: sending @escaping () -> Void) throws {
    let body = Unmanaged.passRetained(Body(run))
    let status = pthread_create(
      &thread, nil,
      { argument in
        if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
        return nil
      }, body.toOpaque())
    try #require(status == 0)
  }

  func join() {
    pthread_join(thread, nil)
  }
}
