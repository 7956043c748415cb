import CLuaBridge
import EventStream
import KernelLoader
import LuaRuntime
import Support

/// The host functions behind `bpf.object` and `bpf.compile`. Objects are known to Lua by their number.
extension TracingSession {
  func defineObjects() {
    defineOpening()
    defineLife()
    definePrograms()
    defineBuffersAndMaps()
    defineGlobals()
  }

  private func define(
    _ name: String, _ body: @escaping (TracingSession, borrowing LuaCall) throws(MoontraceError) -> LuaResults
  ) {
    let session = self
    runtime.define(name) { [unowned session] call throws(MoontraceError) in
      do throws(MoontraceError) {
        return try body(session, call)
      } catch {
        throw session.asScriptError(error)
      }
    }
  }

  /// An error as the script's: an object compiled from its text is called by the script's name, which stands before the
  /// message anyway, and what would be wrong usage on a command line is a mistake in the script. A program in C has no
  /// script.
  func asScriptError(_ error: MoontraceError) -> MoontraceError {
    if source.isLibrary { return error }
    var error = error
    if error.code == .usage { error.code = .scriptFailed }
    let prefix = "\(source.shortName): "
    if error.message.hasPrefix(prefix) { error.message.removeFirst(prefix.count) }
    return error
  }

  /// A function of one object, which is its first argument.
  private func define(
    onObject name: String, _ body: @escaping (TracedObject, borrowing LuaCall) throws(MoontraceError) -> LuaResults
  ) {
    define(name) { session, call throws(MoontraceError) in
      try body(session.objects[Int(try call.integer(1))], call)
    }
  }

  private func defineOpening() {
    define("object_open") { session, call throws(MoontraceError) in
      let path = session.source.path(of: try call.text(1))
      let bytes: [UInt8]
      do throws(SystemError) {
        bytes = try readFile(path)
      } catch {
        throw MoontraceError(.scriptFailed, "\(path): \(errnoText(error.errno))")
      }
      let program = ProgramSource(bytes, name: path) ?? ProgramSource(object: bytes, name: path)
      return try session.add(try session.openNoting(program))
    }
    define(onObject: "object_variable") { object, call throws(MoontraceError) in
      let name = try call.text(2)
      return [.text(object.options?.variable(name) ?? name)]
    }
    define("object_compile") { session, call throws(MoontraceError) in
      let text = try call.text(1)
      let name = session.source.shortName
      let line = session.source.line(of: text) ?? 1
      let compiler = try ClangCompiler()
      let bytes = try compiler.compile(text, name: name, firstLine: line)
      if let refusal = compiler.cacheRefusal { session.diagnostics.noteOnce("\(refusal)") }
      return try session.add(.init(object: try BPFObject(bytes: bytes, name: name)))
    }
    define(onObject: "object_describe") { object, _ in
      [.table(object.description)]
    }
  }

  private func add(_ opened: ProgramSource.Opened) throws(MoontraceError) -> LuaResults {
    let object = try TracedObject(opened, in: self)
    if let meta = opened.meta { object.options = try ProgramOptions(opened.object, meta, name: opened.object.name) }
    objects.append(object)
    return [.integer(Int64(objects.count - 1))]
  }

  private func defineLife() {
    define(onObject: "object_load") { object, _ throws(MoontraceError) in
      try object.load()
      return []
    }
    define(onObject: "object_attach") { object, _ throws(MoontraceError) in
      try object.attach()
      return []
    }
    define(onObject: "object_close") { object, _ in
      object.closeInOrder()
      return []
    }
  }

  private func definePrograms() {
    define(onObject: "program_attach") { object, call throws(MoontraceError) in
      try object.attach(program: try call.text(2), to: try call.optionalText(3))
      return []
    }
    define(onObject: "program_detach") { object, call throws(MoontraceError) in
      object.detach(program: try call.text(2))
      return []
    }
    define(onObject: "program_read") { object, call throws(MoontraceError) in
      [.string(try object.read(program: try call.text(2)))]
    }
    let session = self
    runtime.define("iterator_output") { [unowned session] call throws(MoontraceError) in
      session.iteratorOutput = try call.function(1)
      return []
    }
    define(onObject: "program_disable") { object, call throws(MoontraceError) in
      try object.object.program(try call.text(2))?.setAutoload(false)
      return []
    }
  }

  private func defineBuffersAndMaps() {
    define(onObject: "buffer_each") { object, call throws(MoontraceError) in
      guard !object.isClosed else {
        throw MoontraceError(.scriptFailed, "\(object.object.name): the object is closed: no more events come")
      }
      try object.buffer(try call.text(2))?.each(try call.function(3), typeName: try call.optionalText(4))
      return []
    }
    define(onObject: "map") { object, call throws(MoontraceError) in
      guard let map = object.map(try call.text(2)), mt_lua_push_map(call.lua, map.config) else {
        throw MoontraceError(.scriptFailed, "not enough memory for a map")
      }
      return .pushed(1)
    }
  }

  private func defineGlobals() {
    define(onObject: "global_get") { object, call throws(MoontraceError) in
      let (variable, plan) = try object.global(try call.text(2))
      let lua = call.lua
      let isPushed = try variable.withBytes { mt_lua_push_decoded(lua, plan.field, $0.baseAddress, UInt32($0.count)) }
      guard isPushed else { throw MoontraceError(.scriptFailed, "not enough memory for a value") }
      return .pushed(1)
    }
    define(onObject: "global_set") { object, call throws(MoontraceError) in
      let (variable, plan) = try object.global(try call.text(2))
      let lua = call.lua
      var problem: String?
      try variable.withMutableBytes { bytes in
        // Programs, and a value that is refused, see the whole of it or nothing.
        var value = [UInt8](repeating: 0, count: bytes.count)
        problem = value.withUnsafeMutableBytes { readLuaValue(lua, at: 3, plan.field, into: $0) }
        if problem == nil { bytes.copyBytes(from: value) }
      }
      if let problem {
        throw MoontraceError(.scriptFailed, "\(object.object.name): global '\(variable.name)': \(problem)")
      }
      return []
    }
  }
}

/// Writes the Lua value at a stack index into bytes; what is wrong with it when that can't be done.
func readLuaValue(
  _ lua: OpaquePointer, at index: Int32, _ field: UnsafePointer<mt_field>, into bytes: UnsafeMutableRawBufferPointer
) -> String? {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { problem in
    guard let text = problem.baseAddress else { return nil }
    if mt_lua_read_value(lua, index, field, bytes.baseAddress, text, problem.count) { return nil }
    return String(cString: text)
  }
}

extension TracedObject {
  /// What `bpf.lua` builds an object's tables from: names of programs, maps (true for event buffers) and globals.
  fileprivate var description: LuaTable {
    func names(_ names: [String], _ value: (String) -> Bool) -> LuaValue {
      .table(LuaTable(fields: Dictionary(names.map { ($0, .boolean(value($0))) }, uniquingKeysWith: { a, _ in a })))
    }
    return LuaTable(fields: [
      "name": .text(object.name),
      "programs": names(object.programs.map(\.name)) { _ in true },
      "maps": names(object.maps.map(\.name)) { buffer($0) != nil },
      "globals": names(object.globals.map(\.name)) { _ in true },
    ])
  }
}
