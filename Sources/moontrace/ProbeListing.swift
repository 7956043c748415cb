import KernelLoader
import Support
import Tracing

/// Probes that a pattern found, one a line.
struct ProbeListing {
  let groups: [ProbeCatalog.Group]
  let showsArguments: Bool

  func text(_ format: ListCommand.Format) throws(MoontraceError) -> String {
    let specs = groups.flatMap(\.specs)
    guard showsArguments else { return specs.map { line($0, nil, format) }.joined() }
    let signatures = ProbeSignatures(count: specs.count)
    return specs.map { spec in
      // Of what can't be told, such as functions without types, only the name is known.
      line(spec, (try? signatures.signature(of: spec))?.values ?? [], format)
    }.joined()
  }

  private func line(_ spec: String, _ values: [ProbeSignature.Value]?, _ format: ListCommand.Format) -> String {
    if format == .table {
      let width = values?.map(\.name.count).max() ?? 0
      return "\(spec)\n"
        + (values ?? []).map { value in
          "    \(value.name)\(String(repeating: " ", count: width - value.name.count))  \(value.type)\n"
        }.joined()
    }
    let arguments = values.map { values in
      let objects = values.map {
        JSONText.object([("name", JSONText.quoted($0.name)), ("type", JSONText.quoted($0.type))])
      }
      return [("arguments", JSONText.list(objects))]
    }
    return JSONText.object([("probe", JSONText.quoted(spec))] + (arguments ?? [])) + "\n"
  }
}

/// The kinds of probes, how many there are of each, and whether this kernel can attach them.
struct KindListing {
  private struct Row {
    var kind: String
    var short: String?
    /// nil for kinds whose places are in programs, or without number.
    var count: Int?
    var form: String
    var obstacle: KernelFeature?
  }

  private let rows: [Row]

  /// Kinds that have the same names as another one.
  private static let twins: [ProbeCatalog.Kind: ProbeCatalog.Kind] = [
    .typedTracepoint: .rawtracepoint, .kretprobe: .kprobe, .kretsyscall: .ksyscall, .fexit: .fentry,
  ]

  init() throws(MoontraceError) {
    var rows: [Row] = []
    var counts: [ProbeCatalog.Kind: Int] = [:]
    for kind in ProbeCatalog.Kind.allCases {
      var count = Self.twins[kind].flatMap { counts[$0] }
      if count == nil, !kind.isInPrograms { count = try ProbeCatalog.names(of: kind).count }
      counts[kind] = count
      rows.append(
        Row(
          kind: kind.rawValue, short: kind.short, count: count, form: "\(kind.rawValue):\(kind.form)",
          obstacle: kind.obstacle))
    }
    rows.append(Row(kind: "profile", short: "p", form: "profile:HZ"))
    rows.append(Row(kind: "interval", short: "i", form: "interval:SECONDS"))
    self.rows = rows
  }

  func text(_ format: ListCommand.Format) -> String {
    format == .json ? rows.map(json).joined() : "KIND           SHORT   COUNT  WRITTEN\n" + rows.map(line).joined()
  }

  private func line(_ row: Row) -> String {
    let count = row.count.map(String.init) ?? "-"
    let obstacle = row.obstacle.map { "   (not in this kernel: \($0.reason ?? ""))" } ?? ""
    return Self.padded(row.kind, 15) + Self.padded(row.short ?? "", 5)
      + String(repeating: " ", count: max(1, 8 - count.count)) + count + "  " + row.form + obstacle + "\n"
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  private func json(_ row: Row) -> String {
    JSONText.object([
      ("kind", JSONText.quoted(row.kind)), ("short", JSONText.quoted(row.short)),
      ("count", row.count.map(String.init) ?? "null"), ("form", JSONText.quoted(row.form)),
      ("attachable", "\(row.obstacle == nil)"),
    ]) + "\n"
  }
}
