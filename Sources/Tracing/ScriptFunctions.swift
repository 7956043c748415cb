import CLuaBridge
import KernelLoader
import LuaRuntime
import Recipes
import Support

/// The host functions that `lua-lib/api/` builds the script API from, and the API itself.
extension TracingSession {
  /// Defines everything that a script may call, and runs the library's prelude.
  func defineScriptFunctions() throws(MoontraceError) {
    defineErrors()
    defineRecipe()
    defineTimeAndEnding()
    defineNaming()
    defineObjects()
    if let program = source.program { definePrograms(of: program) }
    defineProbes()
    defineTop()
    definePictures()
    defineInteraction()
    do throws(LuaFailure) {
      try runtime.run(library: Library.text("api/prelude.lua"), name: "=[moontrace prelude]")
    } catch {
      throw error.asError
    }
  }

  private func defineErrors() {
    let (format, isColored) = (configuration.format, output.buffer.pointee.colors)
    runtime.define("output_format") { _ in [.text(format.rawValue)] }
    runtime.define("output_color") { _ in [.boolean(isColored && format == .table)] }
    let session = self
    runtime.define("raise") { [unowned session] call throws(MoontraceError) in
      throw session.asScriptError(MoontraceError(.scriptFailed, try call.text(1)))
    }
    runtime.define("hint") { call throws(MoontraceError) in
      let candidates = try call.table(2).fields.keys.sorted()
      return [.text(suggestionHint(for: try call.text(1), in: candidates))]
    }
    runtime.define("library") { call throws(MoontraceError) in
      [.text(Library.text("api/\(try call.text(1)).lua"))]
    }
  }

  // MARK: recipe

  private func defineRecipe() {
    let session = self
    runtime.define("pid") { [unowned session] _ in
      [session.configuration.pid.map { .integer(Int64($0)) } ?? .nil]
    }
    runtime.define("recipe") { [unowned session] call throws(MoontraceError) in
      let header = try RecipeHeader(RecipeValue(.table(try call.table(1))))
      session.header = header
      if session.configuration.endsAtHeader {
        call.requestExit(0)
        return []
      }
      if !session.configuration.checksOnly { try session.checkNeeds(of: header) }
      session.probes.declareOptions(header.options.map(\.luaName))
      let parsed = try header.parseArguments(
        session.arguments, outer: session.configuration.outerOptions)
      if parsed.helpRequested {
        session.recorder = nil
        session.output.write(header.helpText(programName: "moontrace run \(header.name)"))
        call.requestExit(0)
        return []
      }
      for option in header.options {
        guard case .file(let path)? = parsed.values[option.luaName] else { continue }
        try session.grants.permitWriting(path, option: option.flag)
      }
      return session.tables(header, parsed)
    }
  }

  /// Option values by name, the names of all options, and what is left for `arg`.
  private func tables(_ header: RecipeHeader, _ parsed: ParsedOptions) -> LuaResults {
    let values = parsed.values.mapValues { LuaValue($0) }
    let names = Dictionary(header.options.map { ($0.luaName, LuaValue.boolean(true)) }, uniquingKeysWith: { a, _ in a })
    return [
      .table(LuaTable(fields: values)), .table(LuaTable(fields: names)),
      .table(LuaTable(list: parsed.positional.map(LuaValue.text))),
    ]
  }

  private func checkNeeds(of header: RecipeHeader) throws(MoontraceError) {
    let missing = header.needs.filter { !configuration.capabilities.permits($0.request) }
    guard !missing.isEmpty else { return }
    throw MoontraceError(
      .notPermitted, "recipe '\(header.name)' needs \(missing.map(\.description).joined(separator: ", "))",
      remedy: missing.map { "--allow \($0)" }.joined(separator: " "))
  }

  // MARK: Time and ending

  private func defineTimeAndEnding() {
    let session = self
    runtime.define("every") { [unowned session] call throws(MoontraceError) in
      let function = try call.function(2)
      let part = session.top?.addTimer() ?? 0
      let interval = nanoseconds(try call.number(1))
      session.remember(
        session.loop.every(nanoseconds: interval) { [unowned session] in session.callTimer(function, part: part) })
      return []
    }
    runtime.define("after") { [unowned session] call throws(MoontraceError) in
      let function = try call.function(2)
      let delay = nanoseconds(try call.number(1))
      session.remember(session.loop.after(nanoseconds: delay) { [unowned session] in session.call(function) })
      return []
    }
    runtime.define("at_exit") { [unowned session] call throws(MoontraceError) in
      session.exitFunctions.append(try call.function(1))
      return []
    }
    runtime.define("exit") { call throws(MoontraceError) in
      let code = try call.optionalInteger(1) ?? 0
      guard let status = UInt8(exactly: code) else {
        throw call.badArgument(1, "an exit code is from 0 to 255, not \(code)")
      }
      call.requestExit(Int32(status))
      return []
    }
  }

  // MARK: Naming

  private func defineNaming() {
    let session = self
    runtime.define("ksym") { [unowned session] call throws(MoontraceError) in
      [.text(session.kernelSymbol(UInt64(bitPattern: try call.integer(1))))]
    }
    runtime.define("usym") { [unowned session] call throws(MoontraceError) in
      let pid = Int32(clamping: try call.integer(2))
      return [.text(session.userSymbols.name(of: UInt64(bitPattern: try call.integer(1)), process: pid))]
    }
    runtime.define("strftime") { call throws(MoontraceError) in
      let time = try call.optionalInteger(2).map { UInt64(bitPattern: $0) }
      return [.text(formatTime(try call.text(1), nanoseconds: time))]
    }
    runtime.define("ntop") { call throws(MoontraceError) in
      guard let text = addressText(try addressBytes(call)) else {
        throw call.badArgument(1, "an address has 4 or 16 bytes")
      }
      return [.text(text)]
    }
  }

  private func kernelSymbol(_ address: UInt64) -> String {
    if kernelSymbols.symbol(at: address) == nil, kernelSymbols.areHidden {
      diagnostics.noteOnce("kernel functions stay addresses, for the kernel hides them: \(kernelSymbols.whyHidden)")
    }
    return kernelSymbols.name(of: address)
  }
}

private func nanoseconds(_ seconds: Double) -> UInt64 {
  UInt64(exactly: (seconds * 1e9).rounded()) ?? .max
}

/// The bytes of an address given as a string, a list of bytes, or an integer in network byte order (`__be32`).
private func addressBytes(_ call: borrowing LuaCall) throws(MoontraceError) -> [UInt8] {
  switch try call.value(1) {
  case .string(let bytes): return bytes
  case .integer(let number):
    return withUnsafeBytes(of: UInt32(truncatingIfNeeded: number)) { Array($0) }
  case .table(let table):
    return table.list.compactMap { value in
      guard case .integer(let byte) = value else { return nil }
      return UInt8(exactly: byte)
    }
  default: throw call.badArgument(1, "an address is a string, a list of bytes or an integer")
  }
}

extension Support.Capability {
  /// What a script would do with it.
  fileprivate var request: CapabilityRequest {
    switch kind {
    case .readFiles: .readFile(scope ?? "/")
    case .writeFiles: .writeFile(scope ?? "/")
    case .network: .connect(scope ?? "*")
    case .startProcesses: .execute("")
    case .changeKernel: .changeKernel("the kernel")
    }
  }
}
