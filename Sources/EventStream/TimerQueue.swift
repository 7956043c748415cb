import Support

/// What an `EventLoop` knows a timer by.
public struct TimerID: Hashable, Sendable {
  fileprivate let number: UInt64
}

/// Timers in the order they are due. A session has few, so a plain list serves.
struct TimerQueue {
  typealias Action = () throws(MoontraceError) -> Void

  private struct Timer {
    let id: TimerID
    var due: UInt64
    /// Nil for a timer that fires once.
    let interval: UInt64?
    let action: Action
  }

  private var timers: [Timer] = []
  private var lastNumber: UInt64 = 0

  var isEmpty: Bool { timers.isEmpty }

  /// When the first timer is due, in nanoseconds of the loop's clock.
  var nextDue: UInt64? { timers.map(\.due).min() }

  mutating func add(due: UInt64, interval: UInt64?, action: @escaping Action) -> TimerID {
    lastNumber += 1
    let id = TimerID(number: lastNumber)
    timers.append(Timer(id: id, due: due, interval: interval, action: action))
    return id
  }

  mutating func cancel(_ id: TimerID) {
    timers.removeAll { $0.id == id }
  }

  /// Makes all timers due that much later.
  mutating func delay(by nanoseconds: UInt64) {
    for index in timers.indices { timers[index].due = saturatingSum(timers[index].due, nanoseconds) }
  }

  /// The action that has been due the longest, if any is. Its timer is set to its next turn that lies ahead of `now`
  /// (turns that were missed are left out, the phase is kept), or is gone when it fires once.
  mutating func takeDue(at now: UInt64) -> Action? {
    guard let index = timers.indices.min(by: { timers[$0].due < timers[$1].due }), timers[index].due <= now else {
      return nil
    }
    let timer = timers[index]
    if let interval = timer.interval {
      let ahead = interval - (now - timer.due) % interval
      timers[index].due = saturatingSum(now, ahead)
    } else {
      timers.remove(at: index)
    }
    return timer.action
  }
}

/// The sum, or the largest number when it would overflow: a time that never comes.
func saturatingSum(_ a: UInt64, _ b: UInt64) -> UInt64 {
  let (sum, overflow) = a.addingReportingOverflow(b)
  return overflow ? .max : sum
}
