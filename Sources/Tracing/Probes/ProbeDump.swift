import BPFAssembly
import ProbeCompiler
import Support

extension ProbeSet {
  /// The text of all probes at one stage of their compilation, or what they cost.
  func dump(_ stage: DumpStage, _ objects: [TracedObject]) throws(MoontraceError) -> String {
    switch stage {
    case .bytecode: try bytecode()
    case .ir: try compile().map { Self.title($0.context.spec) + $0.intermediateText }.joined(separator: "\n")
    case .cost: try costs()
    case .targets: ProbeTargets(registrations, objects).text(configuration)
    case .bpf: try compile().map { Self.title($0.context.spec) + Self.listing($0) }.joined(separator: "\n")
    }
  }

  private func bytecode() throws(MoontraceError) -> String {
    var texts: [String] = []
    for registration in registrations {
      texts.append(Self.title(registration.spec) + (try host.prototype(of: registration.function)).listing)
    }
    return texts.joined(separator: "\n")
  }

  private static func title(_ spec: String) -> String { "\(spec)\n" }

  /// BPF instructions, with the Lua line above those that come from another one.
  private static func listing(_ probe: CompiledProbe) -> String {
    var last: SourcePlace?
    var text = ""
    for line in probe.program.lines(mapName: { name(of: $0, in: probe) }) {
      let place = place(of: line.index, in: probe)
      if let place, place != last { text += "; \(place.source):\(place.line)\n" }
      last = place ?? last
      text += "\(line)\n"
    }
    return text
  }

  private static func name(of map: MapReference, in probe: CompiledProbe) -> String {
    probe.maps.indices.contains(map.id) ? "\(probe.maps[map.id])" : "?"
  }

  private static func place(of instruction: Int, in probe: CompiledProbe) -> SourcePlace? {
    guard probe.program.places.indices.contains(instruction) else { return nil }
    let number = Int(probe.program.places[instruction]) - 1
    return probe.places.indices.contains(number) ? probe.places[number] : nil
  }
}
