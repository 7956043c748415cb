import Glibc
import Support

/// One thread's wait for everything: kernel buffers, timers, signals, other descriptors.
///
/// Not Sendable: make it, fill it and run it on one thread; closures run on that thread. Each turn fires the timers
/// that are due, then calls every ready descriptor's closure once, so that no buffer waits for another to run dry.
///
/// The order at the end: `run()` returns and says why; the owner detaches its programs, so that nothing new arrives;
/// `drainSources(within:)` delivers what is left; then the buffers are closed.
///
/// ```swift
/// let loop = try EventLoop()
/// try loop.addSource(descriptor: fd) { try stream.drain(limit: 1024) == 1024 }
/// loop.every(nanoseconds: 1_000_000_000) { report() }
/// try loop.run()
/// ```
public final class EventLoop {
  public typealias Action = () throws(MoontraceError) -> Void
  /// Takes a bounded batch and returns whether more may wait.
  public typealias Drain = () throws(MoontraceError) -> Bool

  /// Why `run()` returned.
  public enum End: Equatable, Sendable {
    case stopped
    case deadline
    /// No descriptor, timer or deadline is left that could ever end the wait.
    case nothingToWaitFor
  }

  private final class Registration {
    let descriptor: Int32
    let isSource: Bool
    let rests: Bool
    let drain: Drain
    var isReady = false
    var isActive = true

    init(descriptor: Int32, isSource: Bool, rests: Bool, drain: @escaping Drain) {
      self.descriptor = descriptor
      self.isSource = isSource
      self.rests = rests
      self.drain = drain
    }
  }

  /// The longest that `idle` is put off while there is always work.
  private static let longestBusyTime: UInt64 = 2_000_000
  /// How long the loop rests after it has emptied a source, in nanoseconds. The kernel wakes a waiting reader for each
  /// record, at several times the cost of the record to the traced process; while the reader rests, records gather
  /// without that. (Measured with a process that does nothing but system calls: 1000 ns each without rest, 400 with.)
  private static let rest = 500_000

  /// When `run()` ends by itself, in nanoseconds of `now()`; nil: never.
  public var deadline: UInt64?
  /// Called before a wait that may block, and about every 2 ms while there is always work: the place to flush output.
  public var idle: Action?

  private let poll: PollSet
  private var registrations: [Registration] = []
  private var timers = TimerQueue()
  private var stopRequested = false
  private var lastIdle: UInt64 = 0
  /// Whether the last turn took records from a source.
  private var servedSource = false

  public init() throws(MoontraceError) {
    poll = try PollSet()
  }

  /// The loop's clock, CLOCK_MONOTONIC, in nanoseconds.
  public static func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// Asks `run()` to return once the closure in progress has. Before `run()`, makes the next one return at once.
  public func stop() {
    stopRequested = true
  }

  // MARK: Descriptors

  /// Calls `handler` each turn in which the descriptor can be read or has hung up; it must read what is there, or remove
  /// the descriptor at its end. Fails for descriptors that can't be polled (regular files) or are watched already.
  public func add(descriptor: Int32, handler: @escaping Action) throws(MoontraceError) {
    try register(descriptor, isSource: false) { () throws(MoontraceError) in
      try handler()
      return false
    }
  }

  /// Like `add`, for one source of an `EventBuffer`: as long as `drain` returns true it is called again in the next turn,
  /// after all others and without waiting. When all sources are empty and all of them
  /// `rests`, the loop leaves half a millisecond for more to gather; a buffer that rests must hold what comes meanwhile.
  public func addSource(descriptor: Int32, rests: Bool = false, drain: @escaping Drain) throws(MoontraceError) {
    try register(descriptor, isSource: true, rests: rests, drain: drain)
  }

  private func register(
    _ descriptor: Int32, isSource: Bool, rests: Bool = false, drain: @escaping Drain
  ) throws(MoontraceError) {
    try poll.add(descriptor)
    registrations.append(Registration(descriptor: descriptor, isSource: isSource, rests: rests, drain: drain))
  }

  /// Stops watching a descriptor, which the caller may then close. Unknown ones are left alone.
  public func remove(descriptor: Int32) {
    guard let index = registrations.firstIndex(where: { $0.descriptor == descriptor }) else { return }
    registrations[index].isActive = false
    registrations.remove(at: index)
    poll.remove(descriptor)
  }

  // MARK: Timers

  /// Calls `action` each `nanoseconds` (at least 1) from now on, to the millisecond. A timer that comes late fires once
  /// for all turns it missed and keeps its phase.
  @discardableResult
  public func every(nanoseconds: UInt64, _ action: @escaping Action) -> TimerID {
    let interval = max(nanoseconds, 1)
    return timers.add(due: saturatingSum(Self.now(), interval), interval: interval, action: action)
  }

  /// Calls `action` once, `nanoseconds` from now, to the millisecond.
  @discardableResult
  public func after(nanoseconds: UInt64, _ action: @escaping Action) -> TimerID {
    timers.add(due: saturatingSum(Self.now(), nanoseconds), interval: nil, action: action)
  }

  /// Makes all timers due later: what they wait for has begun that many nanoseconds after they were set.
  public func delayTimers(by nanoseconds: UInt64) {
    timers.delay(by: nanoseconds)
  }

  /// Takes a timer back; one that has fired for the last time is left alone.
  public func cancel(_ timer: TimerID) {
    timers.cancel(timer)
  }

  // MARK: Running

  /// Serves descriptors and timers until `stop()`, the deadline, or until nothing is left to wait for. Throws what a
  /// closure threw; the loop may then be run again or drained.
  @discardableResult
  public func run() throws(MoontraceError) -> End {
    defer { stopRequested = false }
    lastIdle = Self.now()
    while true {
      try fireTimers()
      if stopRequested { return .stopped }
      if let deadline, Self.now() >= deadline { return .deadline }
      if registrations.isEmpty, timers.isEmpty, deadline == nil { return .nothingToWaitFor }
      try wait()
      try serve()
    }
  }

  /// Drains all sources in turns until each is empty; false when that took longer than the given time.
  public func drainSources(within nanoseconds: UInt64) throws(MoontraceError) -> Bool {
    let limit = saturatingSum(Self.now(), nanoseconds)
    var waiting = registrations.filter(\.isSource)
    while !waiting.isEmpty {
      if Self.now() >= limit { return false }
      var rest: [Registration] = []
      for source in waiting where source.isActive {
        if try source.drain() { rest.append(source) }
      }
      waiting = rest
    }
    return true
  }

  private func fireTimers() throws(MoontraceError) {
    if timers.isEmpty { return }
    let now = Self.now()
    while !stopRequested, let action = timers.takeDue(at: now) { try action() }
  }

  private func wait() throws(MoontraceError) {
    restIfWorthwhile()
    let found = try pollReady(milliseconds: 0)
    let isBusy = found > 0 || registrations.contains(where: \.isReady)
    if isBusy, Self.now() - lastIdle < Self.longestBusyTime { return }
    try idle?()
    lastIdle = Self.now()
    if isBusy || stopRequested { return }
    _ = try pollReady(milliseconds: millisecondsToWait())
  }

  private func restIfWorthwhile() {
    let isDue = servedSource && !stopRequested
    servedSource = false
    guard isDue, registrations.allSatisfy({ !$0.isReady && ($0.rests || !$0.isSource) }) else { return }
    var time = timespec(tv_sec: 0, tv_nsec: Self.rest)
    nanosleep(&time, nil)
  }

  private func pollReady(milliseconds: Int32) throws(MoontraceError) -> Int {
    try poll.wait(milliseconds: milliseconds) { descriptor in
      registrations.first { $0.descriptor == descriptor }?.isReady = true
    }
  }

  /// Rounded up, so that a wait does not end a moment before what it waits for. -1: without end.
  private func millisecondsToWait() -> Int32 {
    guard let due = [deadline, timers.nextDue].compactMap({ $0 }).min() else { return -1 }
    let now = Self.now()
    if due <= now { return 0 }
    return Int32(clamping: (due - now - 1) / 1_000_000 + 1)
  }

  private func serve() throws(MoontraceError) {
    for registration in registrations where registration.isReady && registration.isActive {
      if stopRequested { return }
      servedSource = servedSource || registration.isSource
      // A source whose drain throws may still hold records, and the kernel reports perf buffers only once.
      registration.isReady = registration.isSource
      registration.isReady = try registration.drain()
    }
  }
}
