import Support
import Testing

@testable import EventStream

struct TimerQueueTests {
  @Test func timersFireInTheOrderTheyAreDue() throws {
    var queue = TimerQueue()
    var fired: [Int] = []
    _ = queue.add(due: 30, interval: nil) { fired.append(30) }
    _ = queue.add(due: 10, interval: nil) { fired.append(10) }
    _ = queue.add(due: 20, interval: nil) { fired.append(20) }
    #expect(queue.nextDue == 10)
    while let action = queue.takeDue(at: 25) { try action() }
    #expect(fired == [10, 20])
    #expect(queue.nextDue == 30)
  }

  @Test func aLateTimerFiresOnceAndKeepsItsPhase() throws {
    var queue = TimerQueue()
    var count = 0
    _ = queue.add(due: 100, interval: 100) { count += 1 }
    while let action = queue.takeDue(at: 570) { try action() }
    #expect(count == 1)
    #expect(queue.nextDue == 600)
    while let action = queue.takeDue(at: 600) { try action() }
    #expect(count == 2)
    #expect(queue.nextDue == 700)
  }

  @Test func delayedTimersComeThatMuchLater() throws {
    var queue = TimerQueue()
    var count = 0
    _ = queue.add(due: 100, interval: 100) { count += 1 }
    _ = queue.add(due: .max, interval: nil) { count += 100 }
    queue.delay(by: 50)
    #expect(queue.takeDue(at: 149) == nil)
    while let action = queue.takeDue(at: 150) { try action() }
    #expect(count == 1 && queue.nextDue == 250)
  }

  @Test func cancelledTimersAreGone() {
    var queue = TimerQueue()
    let timer = queue.add(due: 1, interval: 1) {}
    queue.cancel(timer)
    #expect(queue.isEmpty)
    #expect(queue.takeDue(at: 10) == nil)
  }

  @Test func timesBeyondTheClockNeverCome() {
    var queue = TimerQueue()
    _ = queue.add(due: saturatingSum(5, .max), interval: .max) {}
    #expect(queue.takeDue(at: .max - 1) == nil)
    #expect(queue.nextDue == .max)
  }

  @Test(arguments: [("0-1", [0, 1]), ("0", [0]), ("0-2,5,7-8", [0, 1, 2, 5, 7, 8])] as [(String, [Int32])])
  func cpuListsRead(_ text: String, _ cpus: [Int32]) {
    #expect(parseCPUList(text) == cpus)
  }

  @Test(arguments: ["", "a", "1-", "-1", "3-1", "1,,2", "1-2-3"])
  func otherTextIsNoCPUList(_ text: String) {
    #expect(parseCPUList(text) == nil)
  }
}
