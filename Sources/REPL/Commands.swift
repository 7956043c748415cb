import Glibc
import Support
import Tracing

/// Carries out commands.
struct Commands {
  let session: InteractiveSession

  /// Lines of `:list` that are shown.
  private static let listed = 500

  /// What a command says. Not for `:quit`, which is the caller's to do.
  func run(_ command: Command) throws(MoontraceError) -> String {
    switch command {
    case .probes: return probes()
    case .stop(let number): return try stop(number)
    case .maps: return try maps()
    case .list(let pattern): return try list(pattern)
    case .type(let name): return try ProbeNames().definition(of: name)
    case .save(let path, let replaces): return try save(path, replaces: replaces)
    case .help: return Command.helpText
    case .quit: return ""
    }
  }

  private func probes() -> String {
    let rows = session.probes.map { probe in
      ["\(probe.number)", probe.specs.joined(separator: ", "), "\(probe.placeCount)", probe.location ?? ""]
    }
    return rows.isEmpty ? "no probes" : Self.table(["N", "PROBE", "PLACES", "WHERE"], rows, right: [0, 2])
  }

  private func stop(_ number: Int) throws(MoontraceError) -> String {
    guard session.stopProbe(number) else {
      throw MoontraceError(.usage, ":stop: there is no probe \(number)", remedy: ":probes lists them")
    }
    return "probe \(number) is detached"
  }

  private func maps() throws(MoontraceError) -> String {
    let rows = try session.tables().map { table in
      [table.name, table.kind, table.entryCount.map(String.init) ?? "-", "\(table.maximum)"]
    }
    return rows.isEmpty ? "no maps" : Self.table(["NAME", "KIND", "ENTRIES", "MAX"], rows, right: [2, 3])
  }

  private func list(_ pattern: String) throws(MoontraceError) -> String {
    let places = try ProbeNames().places(matching: pattern)
    let shown = places.prefix(Self.listed).joined(separator: "\n")
    let rest = places.count - Self.listed
    return rest > 0 ? "\(shown)\n… \(rest) more" : shown
  }

  private func save(_ path: String, replaces: Bool) throws(MoontraceError) -> String {
    if !replaces, access(path, F_OK) == 0 {
      throw MoontraceError(.usage, ":save: \(path) is there already", remedy: ":save! \(path) replaces it")
    }
    let text = "#!/usr/bin/env moontrace\n" + session.chunks.map { "\($0.scriptText)\n" }.joined()
    do throws(SystemError) {
      try writeFile(path, Array(text.utf8), mode: 0o755)
    } catch {
      throw MoontraceError(.scriptFailed, ":save: \(path): \(errnoText(error.errno))")
    }
    return "\(session.chunks.count) chunks are in \(path)"
  }

  private static func table(_ heading: [String], _ rows: [[String]], right: Set<Int>) -> String {
    let all = [heading] + rows
    let widths = heading.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    return all.map { row in
      let cells = row.indices.map { column in
        let room = String(repeating: " ", count: widths[column] - row[column].count)
        return right.contains(column) ? room + row[column] : row[column] + room
      }
      return String(cells.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
    }.joined(separator: "\n")
  }
}
