import Glibc
import ProbeCompiler
import Support

/// What `--dump cost` prints.
extension ProbeSet {
  /// How often each probe is compiled to find out how long that takes.
  private static let compilations = 51

  /// A line for each probe: the median CPU time of compiling it alone, in microseconds, and its BPF
  /// instructions.
  ///
  /// A compilation takes the function's bytecode and ends with instructions to load, all types being known; the
  /// kernel's types have been read before.
  func costs() throws(MoontraceError) -> String {
    try settleMaps()
    let programs = try compiler.finish()
    var text = "COMPILE_US  INSTRUCTIONS  PROBE\n"
    for (registration, program) in zip(registrations, programs) {
      let time = try compileTime(of: registration, program.context)
      let columns = [(Self.microseconds(time), 10), ("\(program.program.instructions.count)", 14)]
      text += columns.map { Self.padded($0.0, $0.1) }.joined() + "  \(program.context.spec)\n"
    }
    return text
  }

  /// Nanoseconds that this thread works, whatever else the machine does meanwhile.
  private func compileTime(of registration: Registration, _ context: ProbeContext) throws(MoontraceError) -> UInt64 {
    var times: [UInt64] = []
    for _ in 0..<Self.compilations {
      host.forgetBytecode()
      let start = Self.workingTime()
      var single = compiler.withoutProbes()
      try single.add(registration.function, at: context, stream: registration.stream)
      _ = try single.finish()
      times.append(Self.workingTime() - start)
    }
    return times.sorted()[times.count / 2]
  }

  private static func workingTime() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  private static func microseconds(_ nanoseconds: UInt64) -> String {
    "\(nanoseconds / 1000).\(nanoseconds % 1000 / 100)"
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.utf8.count)) + text
  }
}
