import Glibc
import Synchronization

/// Runs `body` for each item on a thread of the item's own, and answers with the results in the items' order.
///
/// For work that waits rather than computes, such as system calls during which the kernel waits for all CPUs: the waits
/// overlap. What `body` does to its thread (namespaces, say) ends with the thread. An item for which the system gives no
/// thread is done on the caller's.
///
/// ```swift
/// let sizes = concurrently(paths) { path in fileSize(path) }
/// ```
public func concurrently<Item: Sendable, Result: Sendable>(
  _ items: [Item], _ body: @escaping @Sendable (Item) -> Result
) -> [Result] {
  let outcomes = items.map { _ in Outcome<Result>() }
  let threads = zip(items, outcomes).map { item, outcome in
    start(Job { outcome.result.withLock { $0 = body(item) } })
  }
  for thread in threads {
    if let thread { pthread_join(thread, nil) }
  }
  return outcomes.compactMap { outcome in outcome.result.withLock { $0 } }
}

/// Where a thread leaves what it found.
private final class Outcome<Result: Sendable>: Sendable {
  let result = Mutex<Result?>(nil)
}

/// A closure as an object, which can go through the pointer that a thread starts with.
private final class Job: Sendable {
  let run: @Sendable () -> Void

  init(_ run: @escaping @Sendable () -> Void) {
    self.run = run
  }
}

/// Starts a thread; runs the job at once, and answers nil, when there can't be one.
private func start(_ job: Job) -> pthread_t? {
  var thread = pthread_t()
  let argument = Unmanaged.passRetained(job)
  let status = pthread_create(
    &thread, nil,
    { argument in
      if let argument { Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().run() }
      return nil
    }, argument.toOpaque())
  if status == 0 { return thread }
  argument.takeRetainedValue().run()
  return nil
}
