import Glibc
import KernelTestSupport
import Support
import Testing

@testable import KernelLoader

@Suite struct ExpansionTests {
  @Test(arguments: [
    ("*", ["", "a", "abc"], []), ("a*", ["a", "ab"], ["", "ba"]), ("*a", ["a", "ba"], ["ab"]),
    ("a*b*c", ["abc", "axxbyyc", "abbc", "abcbc"], ["ab", "ac", "abcd", "cba"]), ("abc", ["abc"], ["ab", "abcd"]),
    ("a*a", ["aa", "aba"], ["a"]), ("**", ["", "x"], []), ("a*bc*d", ["abcd", "abbcd"], ["abd", "acbd"]),
  ])
  func globs(_ pattern: String, _ matching: [String], _ others: [String]) {
    for text in matching { #expect(Glob(pattern).matches(text), "\(pattern) and \(text)") }
    for text in others { #expect(!Glob(pattern).matches(text), "\(pattern) and \(text)") }
  }

  @Test(.requires(.root)) func tracepoints() throws {
    let one = try AttachSpec("t:sched:sched_switch")
    #expect(try one.expanded() == [one])
    let calls = try AttachSpec("t:syscalls:sys_enter_*").expanded()
    #expect(calls.count > 300 && calls.contains(.tracepoint(category: "syscalls", name: "sys_enter_openat")))
    #expect(calls.allSatisfy { $0.description.hasPrefix("tracepoint:syscalls:sys_enter_") })
    let switches = try AttachSpec("t:s*d:*_switch").expanded()
    #expect(switches == [one])
    let (all, took) = try threadTime { try AttachSpec("t:*:*").expanded() }
    #expect(all.count > 1000)
    // Some 20 ms; tests may run in an emulated machine.
    #expect(took < .seconds(5))
    print("t:*:* matches \(all.count) tracepoints: \(took)")
    #expect(try AttachSpec("rt:sched_*").expanded().contains(.rawTracepoint("sched_switch")))
    #expect(try AttachSpec("iter:task*").expanded().contains(.iterator("task_file")))
  }

  @Test(.requires(.root)) func nothingOrTooMuch() throws {
    func error(_ spec: String, limit: Int = AttachSpec.largestExpansion) throws -> MoontraceError {
      try failure { _ = try AttachSpec(spec).expanded(limit: limit) }
    }
    let misspelt = try error("t:syscalls:sys_entr_*")
    #expect(misspelt.code == .unsupported)
    #expect(misspelt.message.contains("nothing in this kernel matches 'tracepoint:syscalls:sys_entr_*'"))
    #expect(misspelt.message.contains("did you mean 'sys_enter*'?"))
    #expect(try error("t:zzz*:x").code == .unsupported)
    #expect(try error("t:syscalls:*", limit: 10).message.contains("which is more than 10"))
    #expect(try error("u:/no/such/*:main").message == "no file matches '/no/such/*'")
    #expect(try error("u:libc:no_such*").code == .usage)
    #expect(try error("xdp:*").message.contains("'*' can't stand for anything here"))
  }

  @Test func userFunctions() throws {
    let reads = try AttachSpec("u:libc:getp*id").expanded()
    #expect(reads.count >= 2)
    // `getpid` and `__getpid` are one place: each place comes once.
    let path = try BinaryFinder.path(of: "libc")
    let place = try UserSymbolPlace(path: path)
    var offsets: [UInt64] = []
    for case .userProbe(let binary, .symbol(let name, _), false) in reads {
      #expect(binary == path)
      offsets.append(try place.fileOffset(of: name))
    }
    #expect(Set(offsets).count == reads.count)
    #expect(try AttachSpec("ur:\(path.dropLast())*:malloc").expanded().contains(try AttachSpec("ur:\(path):malloc")))
  }
}
