import EventStream
import LuaRuntime
import Support

/// Main chunks, which register probes, handlers and timers: what a chunk that fails has registered is forgotten.
extension TracingSession {
  /// What there was before a chunk ran.
  struct Checkpoint {
    fileprivate var probes: ProbeSet.Checkpoint
    fileprivate var timerCount: Int
    fileprivate var exitFunctionCount: Int
    fileprivate var objectCount: Int
  }

  /// Runs the script's own text, or the library's for a program written in C.
  func runMainChunk() throws(LuaFailure) {
    guard source.isLibrary else {
      return try runtime.run(script: source.text, name: source.chunkName, arguments: arguments)
    }
    try runtime.run(library: String(decoding: source.text, as: UTF8.self), name: source.chunkName)
  }

  /// Keeps a timer in mind that a chunk started; those that handlers start are the loop's alone.
  func remember(_ timer: TimerID) {
    if probes.isOpen { timers.append(timer) }
  }

  /// Runs `chunk`, which may register, and makes live what it has registered.
  ///
  /// - Throws: what went wrong; the session is as before then, but for variables and for objects that the chunk made.
  func register<Value>(by chunk: () throws(LuaFailure) -> Value) throws(LuaFailure) -> Value {
    let checkpoint = Checkpoint(
      probes: probes.open(), timerCount: timers.count, exitFunctionCount: exitFunctions.count,
      objectCount: objects.count)
    do throws(LuaFailure) {
      let value = try chunk()
      try commit(since: checkpoint)
      return value
    } catch {
      rollBack(to: checkpoint)
      throw error
    }
  }

  private func commit(since checkpoint: Checkpoint) throws(LuaFailure) {
    do throws(MoontraceError) {
      try commit(since: checkpoint.probes)
    } catch {
      throw .error(error)
    }
  }

  private func rollBack(to checkpoint: Checkpoint) {
    probes.rollBack(to: checkpoint.probes)
    for timer in timers[checkpoint.timerCount...] { loop.cancel(timer) }
    timers.removeSubrange(checkpoint.timerCount...)
    exitFunctions.removeSubrange(checkpoint.exitFunctionCount...)
    for object in objects[checkpoint.objectCount...] { object.close() }
  }
}
