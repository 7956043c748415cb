import CLuaBridge
import Support

/// The host functions by number, and the last error that one of them raised.
final class HostBoard {
  /// Set once the state is open; the state owns the board.
  unowned var state: LuaState?
  private(set) var names: [String] = []
  private var bodies: [LuaRuntime.HostFunction] = []
  /// What the error that is on its way through Lua was, so that it keeps its code when the script does not catch it.
  private(set) var lastError: MoontraceError?

  private let modules: LuaRuntime.ModuleSource
  private let permit: LuaRuntime.PermitCheck

  init(modules: @escaping LuaRuntime.ModuleSource, permit: @escaping LuaRuntime.PermitCheck) {
    self.modules = modules
    self.permit = permit
  }

  func define(_ name: String, _ body: @escaping LuaRuntime.HostFunction) {
    names.append(name)
    bodies.append(body)
  }

  /// Runs function `number` on the arguments of the Lua frame; the number of results, or -1 with the error set.
  func run(_ number: UInt32, in lua: OpaquePointer, count: Int32) -> Int32 {
    do throws(MoontraceError) {
      return try dispatch(number, in: lua, count: count)
    } catch {
      raise(error, in: lua)
      return -1
    }
  }

  private func dispatch(_ number: UInt32, in lua: OpaquePointer, count: Int32) throws(MoontraceError) -> Int32 {
    guard let state else { throw MoontraceError(.scriptFailed, "the Lua runtime has ended") }
    let first = UInt32(MT_LUA_HOST_FIRST)
    let index = number >= first ? Int(number - first) : nil
    let call = LuaCall(name: index.map { names[$0] } ?? "require", count: Int(count), lua: lua, state: state)
    let results: LuaResults
    switch number {
    case UInt32(MT_LUA_HOST_MODULE): results = try module(call)
    case UInt32(MT_LUA_HOST_PERMIT): results = try checkPermit(call)
    default: results = try bodies[Int(number - first)](call)
    }
    return try push(results, on: LuaStack(lua: lua, state: state))
  }

  private func push(_ results: LuaResults, on stack: LuaStack) throws(MoontraceError) -> Int32 {
    switch results {
    case .pushed(let count): return Int32(count)
    case .values(let values):
      for value in values { try stack.push(value) }
      return Int32(values.count)
    }
  }

  private func module(_ call: borrowing LuaCall) throws(MoontraceError) -> LuaResults {
    guard let module = modules(try call.text(1)) else { return [] }
    return [.text(module.text), .text(module.chunkName)]
  }

  private func checkPermit(_ call: borrowing LuaCall) throws(MoontraceError) -> LuaResults {
    let subject = try call.text(2)
    let request: CapabilityRequest =
      switch try call.text(1) {
      case "fs.read": .readFile(subject)
      case "fs.write": .writeFile(subject)
      default: .execute(subject)
      }
    if let refusal = permit(request) { throw refusal }
    return []
  }

  private func raise(_ error: MoontraceError, in lua: OpaquePointer) {
    lastError = error
    var text = error.description
    text.withUTF8 { bytes in
      bytes.withMemoryRebound(to: CChar.self) {
        mt_lua_fail(lua, $0.baseAddress, $0.count, error.location != nil)
      }
    }
  }
}
