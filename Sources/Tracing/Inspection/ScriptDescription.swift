import BPFAssembly
import KernelLoader
import LuaRuntime
import ProbeCompiler
import Recipes
import Support

/// A Lua script: its header, and what its main part registers.
public struct ScriptDescription: Sendable {
  /// A `probe()`, or a program of an object that the script opens.
  public struct Probe: Equatable, Sendable {
    /// The SPEC or section.
    public var spec: String
    /// `FILE:LINE`, or the object and program.
    public var place: String
    /// BPF programs that it becomes.
    public var programCount: Int
    /// What it would attach to: more than one where the SPEC holds `*`.
    public var targets: [String]
    /// The helpers that the programs call.
    public var helpers: [String]
  }

  public var file: FileDescription
  /// What it declares by `recipe`; nil when it declares nothing.
  public var header: RecipeHeader?
  public var probes: [Probe]
  public var maps: [MapDescription]
  public var aggregates: [MapDescription]
  public var events: [EventDescription]
  /// What a recipe says that wants arguments and was given none: its probes, maps and events can't be told then.
  public var obstacle: String?
  /// What is wrong with it.
  public var problems: [ScriptReport.Problem]

  init(_ source: ScriptSource, _ configuration: SessionConfiguration) throws(MoontraceError) {
    var configuration = configuration
    configuration.checksOnly = true
    configuration.outputPath = "/dev/null"
    let session = try TracingSession(source, configuration)
    file = FileDescription(source.text, name: source.name, kind: "Lua script")
    problems = []
    do throws(MoontraceError) {
      problems = try session.check().problems
    } catch {
      // Without arguments a recipe may have nothing to do, and can be told about all the same.
      guard error.code == .usage, session.header != nil, configuration.arguments.isEmpty else { throw error }
      obstacle = "\(error)"
    }
    header = session.header
    if header != nil, configuration.arguments.isEmpty, let wish = problems.first(where: \.isWish) {
      obstacle = wish.message
      problems = []
    }
    let isWhole = obstacle == nil
    probes = isWhole ? session.describedProbes : []
    maps = isWhole ? session.describedMaps : []
    aggregates = isWhole ? session.describedAggregates : []
    events = isWhole ? session.describedEvents : []
  }
}

extension ScriptReport.Problem {
  /// What recipes say that want arguments: `error(TEXT, 0)`, which blames no line.
  fileprivate var isWish: Bool { line == nil && code == .scriptFailed }
}

extension ScriptDescription.Probe {
  fileprivate init(_ row: ProbeTargets.Row) {
    self.init(
      spec: row.probe, place: row.place, programCount: row.programs, targets: row.targets,
      helpers: row.helpers.sorted().map(Helper.name))
  }
}

extension TracingSession {
  fileprivate var describedProbes: [ScriptDescription.Probe] {
    ProbeTargets(probes.registrations, objects, helpers: probes.helpers).rows.map(ScriptDescription.Probe.init)
  }

  fileprivate var describedMaps: [MapDescription] {
    zip(probes.maps, probes.compiler.schema.maps).map { map, schema in
      MapDescription(
        name: schema.name, type: "\(map.type)", keySize: schema.key.map { Int($0.size) },
        valueSize: schema.value.map { Int($0.size) }, maxEntries: map.options.maximum, key: schema.key?.spelling,
        value: schema.value?.spelling)
    }
  }

  fileprivate var describedAggregates: [MapDescription] {
    zip(probes.aggregates, probes.compiler.schema.aggregates).map { aggregate, schema in
      let isKeyless = schema.key == .tuple([])
      return MapDescription(
        name: schema.name, type: schema.function.spelling, keySize: schema.key.map { Int($0.size) },
        maxEntries: isKeyless ? 1 : aggregate.maximum, key: isKeyless ? nil : schema.key?.spelling)
    }
  }

  fileprivate var describedEvents: [EventDescription] {
    probes.compiler.schema.events.compactMap { event in
      guard event.stream != ProbeSchema.exitStream, event.format == nil else { return nil }
      return EventDescription(
        source: probes.name(ofStream: event.stream), size: Int(event.record.size), members: event.record.members)
    }
  }
}

extension DataType {
  /// The fields of an event, one behind the other.
  fileprivate var members: [EventDescription.Member] {
    guard case .record(let fields) = self else { return [] }
    var offset = 0
    return fields.map { field in
      defer { offset += Int(field.type.size) }
      return EventDescription.Member(
        name: field.name, type: field.type.spelling, offset: offset, size: Int(field.type.size))
    }
  }
}
