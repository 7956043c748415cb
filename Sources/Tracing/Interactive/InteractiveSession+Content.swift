import LuaRuntime
import ProbeCompiler
import Support

/// What a session at a keyboard consists of.
extension InteractiveSession {
  /// A probe that is attached.
  public struct Probe: Equatable, Sendable {
    /// What `stopProbe` calls it.
    public var number: Int
    /// As the script gives them, `tracepoint:sched:*` for example.
    public var specs: [String]
    /// How many it stands for.
    public var placeCount: Int
    /// `repl:LINE`, where the script registers it.
    public var location: String?
  }

  /// A map or an aggregate.
  public struct Table: Equatable, Sendable {
    public var name: String
    /// `map`, or what an aggregate counts: `hist`.
    public var kind: String
    /// nil while no probe uses it.
    public var entryCount: Int?
    public var maximum: Int
  }

  /// The probes that are attached, in the order in which they were entered.
  public var probes: [Probe] {
    var probes: [Probe] = []
    for batch in session.probes.batches {
      for (registration, count) in zip(batch.registrations, batch.placeCounts) where count > 0 {
        if probes.last?.number != registration.number {
          probes.append(
            Probe(number: registration.number, specs: [], placeCount: 0, location: registration.location))
        }
        probes[probes.count - 1].placeCount += count
        if probes[probes.count - 1].specs.last != registration.spec {
          probes[probes.count - 1].specs.append(registration.spec)
        }
      }
    }
    return probes
  }

  /// Detaches a probe; false when there is none of that number. What it has stored and sent stays.
  public func stopProbe(_ number: Int) -> Bool {
    guard probes.contains(where: { $0.number == number }) else { return false }
    for batch in session.probes.batches { batch.detach(probe: number) }
    return true
  }

  /// The maps and aggregates, maps first, each in the order in which they were made.
  ///
  /// - Throws: when the kernel does not let a map be read.
  public func tables() throws(MoontraceError) -> [Table] {
    session.probes.nameObjects()
    let schema = session.probes.compiler.schema
    var tables: [Table] = []
    for (map, type) in zip(session.probes.maps, schema.maps) {
      let count = try map.map?.entries().count
      tables.append(Table(name: type.name, kind: "map", entryCount: count, maximum: map.options.maximum))
    }
    for (aggregate, type) in zip(session.probes.aggregates, schema.aggregates) {
      guard !aggregate.isAnonymous || aggregate.map != nil else { continue }
      tables.append(
        Table(
          name: type.name, kind: type.function.name, entryCount: try aggregate.keyCount(), maximum: aggregate.maximum))
    }
    return tables
  }

  // MARK: Names

  /// The names of what may follow a path of names from a global variable on, sorted; with an empty path, the global
  /// variables. Nothing of the script runs.
  ///
  /// ```swift
  /// session.members(of: ["string"])  // byte, char, …
  /// ```
  ///
  /// - Parameter isMethod: whether a colon follows, not a point.
  public func members(of path: [String], isMethod: Bool = false) -> [String] {
    names(lister, [.table(LuaTable(list: path.map(LuaValue.text))), .boolean(isMethod)])
  }

  /// The names that have values only inside a probe function: `pid`, `comm`.
  public var kernelValues: [String] { names(probeNames, []) }

  private func names(_ function: LuaFunction?, _ arguments: [LuaValue]) -> [String] {
    // Completion is a help: what can't be listed is not offered.
    guard let function, case .table(let list)? = try? session.runtime.call(function, arguments).first else { return [] }
    return list.list.compactMap(\.text)
  }
}
