import Glibc

/// The processor time that a body takes on this thread: what it costs, however busy the machine is.
///
/// ```swift
/// let (found, took) = try threadTime { try find() }
/// ```
public func threadTime<Result>(_ body: () throws -> Result) rethrows -> (result: Result, took: Duration) {
  let start = threadTimeSoFar()
  let result = try body()
  return (result, threadTimeSoFar() - start)
}

private func threadTimeSoFar() -> Duration {
  var time = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
}
