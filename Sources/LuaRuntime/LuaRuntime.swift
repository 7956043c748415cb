import CLua
import CLuaBridge
import Support

/// A sandboxed Lua 5.4 state: host functions, protected calls, a memory cap and a time limit.
///
/// A runtime belongs to one thread at a time. Its functions may be called again from host functions.
///
/// ```swift
/// let runtime = try LuaRuntime(output: &output, modules: { _ in nil }, permit: capabilities.refusal)
/// runtime.define("answer") { _ in [.integer(42)] }
/// try runtime.run(library: "local host = ...; answer = host.answer", name: "=[moontrace prelude]")
/// try runtime.run(script: Array("print(answer())".utf8), name: "@x.lua", arguments: [])
/// ```
public final class LuaRuntime {
  public struct Limits: Sendable {
    /// Most that Lua may allocate.
    public var memoryBytes: Int
    /// Processor time that one run or callback may take; time inside one long host call is not counted.
    public var callbackNanoseconds: UInt64

    public init(memoryBytes: Int = 256 << 20, callbackNanoseconds: UInt64 = 1_000_000_000) {
      self.memoryBytes = memoryBytes
      self.callbackNanoseconds = callbackNanoseconds
    }
  }

  /// A Lua function written in Swift. What it throws is raised in Lua at the script's line.
  public typealias HostFunction = (borrowing LuaCall) throws(MoontraceError) -> LuaResults
  /// The text of the module that `require` names, and its chunk name; nil when there is none.
  public typealias ModuleSource = (String) -> (text: String, chunkName: String)?
  /// nil when a request is permitted, else the error to raise; ``Capabilities/refusal(of:)`` fits.
  public typealias PermitCheck = (CapabilityRequest) -> MoontraceError?

  private let owner: LuaState

  /// Opens a state. `output` is where `print` writes; it must outlive the runtime and the functions kept from it.
  public init(
    output: UnsafeMutablePointer<mt_output>, format: mt_format = MT_FORMAT_TABLE, limits: Limits = Limits(),
    modules: @escaping ModuleSource = { _ in nil }, permit: @escaping PermitCheck = Capabilities.none.refusal
  ) throws(MoontraceError) {
    let host = HostBoard(modules: modules, permit: permit)
    owner = try LuaState(output: output, format: format, limits: limits, host: host)
  }

  /// The `mt_lua` for functions of CLuaBridge; valid while the runtime lives.
  public var state: OpaquePointer { owner.lua }

  /// Bytes that Lua has allocated now.
  public var memoryInUse: Int { mt_lua_memory_in_use(owner.lua) }

  /// Keeps from now on what scripts print and emit, its first `limit` bytes.
  public func keepTranscript(limit: Int) throws(MoontraceError) {
    guard mt_lua_keep_transcript(owner.lua, limit) else { throw owner.outOfMemory }
  }

  /// What was kept of it.
  public var transcript: [UInt8] {
    var length = 0
    guard let text = mt_lua_transcript(owner.lua, &length) else { return [] }
    return UnsafeRawBufferPointer(start: text, count: length).map { $0 }
  }

  /// Adds a function to the table that libraries are given.
  public func define(_ name: String, _ body: @escaping HostFunction) {
    owner.host.define(name, body)
  }

  /// Runs library text, with the table of all host functions defined so far as its `...`. Libraries whose chunk name
  /// begins with `=[moontrace` are passed over in positions and tracebacks.
  public func run(library text: String, name: String) throws(LuaFailure) {
    try load(Array(text.utf8), name: name)
    try invoke { stack throws(MoontraceError) in
      try self.pushHostTable(on: stack)
      return 1
    }
  }

  /// Runs a script as the main chunk, with `arguments` as the global `arg` and as `...`. A first line that begins with
  /// `#` is skipped. `name` is a Lua chunk name, such as `@x.lua`.
  public func run(script: [UInt8], name: String, arguments: [String]) throws(LuaFailure) {
    let text = Self.withoutFirstComment(script)
    guard text.first != UInt8(ascii: "\u{1b}") else { throw .error(Self.bytecodeRefusal(name)) }
    try load(text, name: name)
    try invoke { stack throws(MoontraceError) in
      try self.setArgumentTable(arguments, name: name, on: stack)
      for argument in arguments { try stack.push(.text(argument)) }
      return arguments.count
    }
  }

  /// Compiles text to a function, which is kept. `name` is a Lua chunk name.
  public func function(of text: [UInt8], name: String) throws(LuaFailure) -> LuaFunction {
    try load(text, name: name)
    let bottom = lua_gettop(owner.main) - 1
    guard case .function(let function)? = try takeResults(above: bottom).first else { throw .error(owner.outOfMemory) }
    return function
  }

  /// Lets a descriptor that becomes readable (of signals, say) stop a callback in progress, as the time limit does;
  /// nil takes it back.
  public func interrupt(by descriptor: Int32?) {
    mt_lua_interrupt_by(owner.lua, descriptor ?? -1)
  }

  /// Calls a function that was kept, as one callback. Returns its results.
  @discardableResult
  public func call(_ function: LuaFunction, _ arguments: [LuaValue] = []) throws(LuaFailure) -> [LuaValue] {
    guard lua_checkstack(owner.main, 1) != 0 else { throw .error(owner.outOfMemory) }
    stack.push(function)
    return try invoke { stack throws(MoontraceError) in
      for argument in arguments { try stack.push(argument) }
      return arguments.count
    }
  }

  /// Puts a kept function on the main stack, for functions of CLuaBridge that take one from there.
  func pushOnMain(_ function: LuaFunction) {
    if lua_checkstack(owner.main, 1) != 0 { stack.push(function) }
  }

  /// What made the last call of CLuaBridge on ``state`` fail, such as a drain.
  public func lastFailure() -> LuaFailure {
    var code: Int32 = 0
    if mt_lua_exit_requested(owner.lua, &code) { return .exit(code) }
    let text = errorText()
    return .error(text.matching(owner.host.lastError) ?? text.error)
  }

  // MARK: - Steps of a call

  private var stack: LuaStack { LuaStack(lua: owner.main, state: owner) }

  private func load(_ text: [UInt8], name: String) throws(LuaFailure) {
    let status = text.withUnsafeBytes { bytes in
      mt_lua_load(owner.lua, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, name)
    }
    guard status == LUA_OK else { throw .error(errorText().error) }
  }

  /// Calls the function on top of the stack with the arguments that `push` puts there and counts.
  @discardableResult
  private func invoke(_ push: (LuaStack) throws(MoontraceError) -> Int) throws(LuaFailure) -> [LuaValue] {
    let bottom = lua_gettop(owner.main) - 1
    let count: Int
    do throws(MoontraceError) {
      count = try push(stack)
    } catch {
      lua_settop(owner.main, bottom)
      throw .error(error)
    }
    guard mt_lua_call(owner.lua, Int32(count), LUA_MULTRET) == LUA_OK else { throw lastFailure() }
    return try takeResults(above: bottom)
  }

  private func takeResults(above bottom: Int32) throws(LuaFailure) -> [LuaValue] {
    defer { lua_settop(owner.main, bottom) }
    var results: [LuaValue] = []
    do throws(MoontraceError) {
      for index in (bottom + 1)..<(lua_gettop(owner.main) + 1) { results.append(try stack.value(at: index)) }
    } catch {
      throw .error(error)
    }
    return results
  }

  private func pushHostTable(on stack: LuaStack) throws(MoontraceError) {
    let names = owner.host.names
    guard mt_lua_push_table(stack.lua, 0, Int32(clamping: names.count)) else { throw owner.outOfMemory }
    let table = lua_gettop(stack.lua)
    for (index, name) in names.enumerated() {
      let number = UInt32(MT_LUA_HOST_FIRST) + UInt32(index)
      guard mt_lua_push_host_function(stack.lua, number) else { throw owner.outOfMemory }
      try stack.setField(name, ofTableAt: table)
    }
  }

  private func setArgumentTable(_ arguments: [String], name: String, on stack: LuaStack) throws(MoontraceError) {
    try stack.push(.table(LuaTable(list: arguments.map(LuaValue.text))))
    let table = lua_gettop(stack.lua)
    try stack.push(.text(Self.fileName(ofChunk: name)))
    guard mt_lua_set_index(stack.lua, table, 0), mt_lua_set_global(stack.lua, "arg", 3) else {
      throw owner.outOfMemory
    }
  }

  private func errorText() -> LuaErrorText {
    var length = 0
    guard let start = mt_lua_error(owner.lua, &length) else { return LuaErrorText("", traceback: nil) }
    let bytes = UnsafeRawBufferPointer(start: start, count: length)
    let split = mt_lua_error_message_length(owner.lua)
    let traceback = String(decoding: bytes[split...].drop { $0 == UInt8(ascii: "\n") }, as: UTF8.self)
    return LuaErrorText(
      String(decoding: bytes[..<split], as: UTF8.self), traceback: traceback.isEmpty ? nil : traceback)
  }

  private static func fileName(ofChunk name: String) -> String {
    name.first == "@" || name.first == "=" ? String(name.dropFirst()) : name
  }

  private static func bytecodeRefusal(_ name: String) -> MoontraceError {
    MoontraceError(.scriptFailed, "\(fileName(ofChunk: name)): compiled Lua is not run", remedy: "give the source text")
  }

  /// Keeps the newline, so that lines keep their numbers.
  private static func withoutFirstComment(_ script: [UInt8]) -> [UInt8] {
    let text = script.starts(with: [0xef, 0xbb, 0xbf]) ? script[3...] : script[...]
    guard text.first == UInt8(ascii: "#") else { return Array(text) }
    return Array(text.drop { $0 != UInt8(ascii: "\n") })
  }
}
