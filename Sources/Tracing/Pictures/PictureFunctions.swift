import Glibc
import LuaRuntime
import Pictures
import ProbeCompiler
import Support

/// The host functions behind `flamegraph` and what the report shows of aggregates.
extension TracingSession {
  func definePictures() {
    let session = self
    // (rows, title, unit, file or nil); a row: {value, kind, text, kind, text, …}
    runtime.define("flamegraph") { [unowned session] call throws(MoontraceError) in
      var graph = FlameGraph(title: try call.text(2), unit: try call.text(3))
      for case .table(let row) in try call.table(1).list { graph.add(stack(row), count: count(row)) }
      session.recorder?.add(.flameGraph(graph))
      if let path = try call.optionalText(4) { try session.write(graph, to: path) }
      return []
    }
    runtime.define("aggregate_parts") { [unowned session] call throws(MoontraceError) in
      let types = session.probes.compiler.schema.aggregates
      guard let number = Int(exactly: try call.integer(1)), types.indices.contains(number) else {
        throw MoontraceError(.scriptFailed, "the object is not this script's")
      }
      return [.table(LuaTable(list: (types[number].key?.partKinds ?? []).map(LuaValue.text)))]
    }
    runtime.define("reports") { [unowned session] _ in [.boolean(session.recorder != nil)] }
    runtime.define("report") { [unowned session] call throws(MoontraceError) in
      session.recorder?.add(Report.Section(try call.table(1)))
      return []
    }
    runtime.define("output_is_utf8") { _ in [.boolean(isUTF8Locale())] }
  }

  private func write(_ graph: FlameGraph, to path: String) throws(MoontraceError) {
    if let refusal = grants.refusal(of: .writeFile(path)) { throw refusal }
    let file = try ReservedFile(path)
    do throws(SystemError) {
      try file.write(Array(graph.svg().utf8))
    } catch {
      throw MoontraceError(.scriptFailed, "flamegraph: \(error)")
    }
    diagnostics.note("\(path): \(graph.total) \(graph.unit) in \(graph.stackCount) stacks")
  }

  /// Writes the page that `--report` asks for, if it does.
  func writeReport() {
    guard let recorder else { return }
    recorder.lostSoFar(lost)
    do throws(MoontraceError) {
      try recorder.write(
        title: "moontrace \(source.shortName)", delivered: delivered, printed: runtime.transcript)
    } catch {
      diagnostics.report(error)
      end(code: error.code.rawValue)
    }
  }
}

/// The frames of a row, outermost first: what it belongs to, then the user's half, then the kernel's.
private func stack(_ row: LuaTable) -> [Frame] {
  var (groups, user, kernel): ([Frame], [Frame], [Frame]) = ([], [], [])
  for place in stride(from: 1, to: row.list.count - 1, by: 2) {
    let text = row.list[place + 1].text ?? ""
    switch row.list[place].text {
    case "user": user += Frame.stack(text, .user)
    case "kernel": kernel += Frame.stack(text, .kernel)
    default: groups.append(Frame(text, .group))
    }
  }
  return groups + user + kernel
}

private func count(_ row: LuaTable) -> Int64 {
  switch row.list.first {
  case .integer(let value)?: value
  case .number(let value)?: Int64(exactly: value.rounded()) ?? 0
  default: 0
  }
}

/// setlocale(3)'s order of the variables.
private func isUTF8Locale() -> Bool {
  for name in ["LC_ALL", "LC_CTYPE", "LANG"] {
    guard let value = getenv(name), value.pointee != 0 else { continue }
    let text = String(cString: value).lowercased()
    return text.hasSuffix("utf-8") || text.hasSuffix("utf8")
  }
  return false
}

extension DataType {
  /// What each part of a key is for a flame graph: `kernel` or `user` stacks, or a `value`.
  fileprivate var partKinds: [String] {
    switch self {
    case .tuple(let items): items.map(\.partKind)
    default: [partKind]
    }
  }

  private var partKind: String {
    switch self {
    case .named(.kernelStack, _): "kernel"
    case .named(.userStack, _): "user"
    case .optional(let type): type.partKind
    default: "value"
    }
  }
}
