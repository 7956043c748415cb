import KernelLoader
import Support

/// What a script would attach, as `--dump targets` and `moontrace list -e` show it.
struct ProbeTargets {
  struct Row {
    var probe: String
    var place: String
    var programs: Int
    var targets: [String]
    /// The numbers of the helpers that they call, where they have been compiled.
    var helpers: Set<Int32> = []
  }

  private(set) var rows: [Row] = []

  /// - Parameter helpers: what each registration's program calls, if it has been compiled.
  init(_ registrations: [ProbeSet.Registration], _ objects: [TracedObject], helpers: [[Int32]] = []) {
    for (index, registration) in registrations.enumerated() {
      let called = helpers.indices.contains(index) ? Set(helpers[index]) : []
      let targets = registration.targets.map(\.description)
      if let last = rows.indices.last, rows[last].probe == registration.spec,
        rows[last].place == registration.location ?? ""
      {
        rows[last].programs += 1
        rows[last].targets += targets
        rows[last].helpers.formUnion(called)
      } else {
        rows.append(
          Row(
            probe: registration.spec, place: registration.location ?? "", programs: 1, targets: targets,
            helpers: called))
      }
    }
    for object in objects {
      rows += object.wouldAttach.map {
        Row(
          probe: $0.target, place: "\(object.object.name): \($0.program)", programs: 1, targets: [$0.target],
          helpers: Set(object.object.program($0.program)?.helperIDs ?? []))
      }
    }
  }

  /// A row for each probe; with `verbose` each place that a glob stands for below.
  func text(_ configuration: SessionConfiguration) -> String {
    if configuration.format == .json { return rows.map(json).joined() }
    let cells =
      [["PROGRAMS", "PLACES", "PROBE", "FROM"]]
      + rows.map {
        ["\($0.programs)", "\($0.targets.count)", $0.probe, $0.place]
      }
    let width = cells.map { $0[2].count }.max() ?? 0
    return zip(cells, [[]] + rows.map(\.targets)).map { cell, targets in
      let line = Self.padded(cell[0], -8) + "  " + Self.padded(cell[1], -6) + "  " + Self.padded(cell[2], width)
      let isGlob = targets.count > 1 && configuration.verbose
      return "\(line)  \(cell[3])\n" + (isGlob ? targets.map { "    \($0)\n" }.joined() : "")
    }.joined()
  }

  private func json(_ row: Row) -> String {
    JSONText.object([
      ("probe", JSONText.quoted(row.probe)), ("from", JSONText.quoted(row.place)), ("programs", "\(row.programs)"),
      ("targets", JSONText.list(row.targets.map(JSONText.quoted))),
    ]) + "\n"
  }

  /// On the left of a negative width.
  private static func padded(_ text: String, _ width: Int) -> String {
    let blanks = String(repeating: " ", count: max(0, abs(width) - text.count))
    return width < 0 ? blanks + text : text + blanks
  }
}
