import Recipes
import Tracing

/// What a target is, for people: facts first, then a part for each kind of thing it has.
enum InspectText {
  static func text(_ object: ObjectDescription) -> String {
    var facts = [["is", object.file.kind]]
    facts += [("does", object.summary), ("version", object.version)].compactMap { name, text in text.map { [name, $0] }
    }
    facts.append(["license", object.license ?? "none: helpers that are GPL only are refused"])
    facts += size(object.file) + (object.object.map { [["object", "\($0.size) bytes"], ["", $0.digest]] } ?? [])
    facts += types(object.types)
    return object.file.name + "\n" + TextTable(rows: facts).text()
      + programs(object) + section("Maps", maps(object.maps)) + section("Options", options(object.options))
      + section("Events", object.events.map(event).joined(separator: "\n"))
  }

  static func text(_ script: ScriptDescription) -> String {
    var facts = [["is", script.header == nil ? script.file.kind : "\(script.file.kind), recipe"]]
    if let header = script.header {
      facts += [("name", header.name), ("does", header.summary), ("version", header.version)]
        .compactMap { name, text in text.map { [name, $0] } }
      if !header.needs.isEmpty { facts.append(["needs", header.needs.map { "--allow \($0)" }.joined(separator: " ")]) }
    }
    facts += size(script.file)
    return script.file.name + "\n" + TextTable(rows: facts).text()
      + section("Options", options((script.header?.options ?? []).map { ($0, $0.type.rawValue) }))
      + (script.obstacle.map { "\nWithout arguments it only says: \($0)\n" } ?? "")
      + section("Probes", probes(script.probes)) + section("Maps", maps(script.maps))
      + section("Aggregates", aggregates(script.aggregates))
      + section("Events", script.events.map(event).joined(separator: "\n"))
  }

  /// Nothing when there is nothing to tell.
  private static func section(_ title: String, _ text: String) -> String {
    text.isEmpty ? "" : "\n\(title)\n\(text)"
  }

  // MARK: Facts

  private static func size(_ file: FileDescription) -> [[String]] {
    [["size", "\(file.size) bytes"], ["digest", file.digest]]
  }

  private static func types(_ types: ObjectDescription.Types) -> [[String]] {
    var rows = [["BTF", "\(types.size) bytes"]]
    let count = types.relocationCount
    rows.append([
      "CO-RE",
      count == 0
        ? "no relocations"
        : "\(count) relocation\(count == 1 ? "" : "s"), of \(types.kernelTypes.joined(separator: ", "))",
    ])
    if let registers = types.registers { rows.append(["reads", "registers of \(registers)"]) }
    let kernels = types.archivedKernels
    return rows + kernels.enumerated().map { [$0 == 0 ? "carries" : "", "BTF of \($1)"] }
  }

  // MARK: Programs

  private static func programs(_ object: ObjectDescription) -> String {
    let shared = object.subprogramHelpers
    let more =
      shared.isEmpty ? "" : "  in functions that are not inlined\n" + TextTable(rows: helpers(shared)).text(indent: 4)
    return section("Programs", object.programs.map(program).joined() + more)
  }

  private static func program(_ program: ObjectDescription.Program) -> String {
    var rows = [["section", program.section]]
    if let place = program.place, place != program.section { rows.append(["goes to", place]) }
    rows += program.annotations.map { ["package", $0] } + helpers(program.helpers)
    rows += program.kernelWrites.map { ["warning", "\($0); needs --allow kernel.write"] }
    rows += program.notes.map { ["note", $0] }
    let title = "  \(program.name)  (\(program.type), \(program.instructionCount) instructions)\n"
    return title + TextTable(rows: rows).text(indent: 4)
  }

  private static func helpers(_ names: [String]) -> [[String]] {
    names.enumerated().map { [$0 == 0 ? "calls" : "", $1] }
  }

  private static func probes(_ probes: [ScriptDescription.Probe]) -> String {
    if probes.isEmpty { return "" }
    let rows = probes.map { ["\($0.targets.count)", $0.spec, $0.place] }
    return TextTable(rows: [["PLACES", "PROBE", "FROM"]] + rows, numeric: [0]).text() + section("Calls", calls(probes))
  }

  /// Probes beside the helpers that they call; those that call the same ones together.
  private static func calls(_ probes: [ScriptDescription.Probe]) -> String {
    var groups: [(specs: [String], helpers: [String])] = []
    for probe in probes where !probe.helpers.isEmpty {
      if let index = groups.firstIndex(where: { $0.helpers == probe.helpers }) {
        if !groups[index].specs.contains(probe.spec) { groups[index].specs.append(probe.spec) }
      } else {
        groups.append(([probe.spec], probe.helpers))
      }
    }
    let parts = groups.map { group in
      (0..<max(group.specs.count, group.helpers.count)).map { line in
        [group.specs, group.helpers].map { $0.indices.contains(line) ? $0[line] : "" }
      }
    }
    return parts.isEmpty ? "" : TextTable(rows: [["PROBE", "HELPER"]] + parts.joined(separator: [["", ""]])).text()
  }

  // MARK: Maps

  private static func maps(_ maps: [MapDescription]) -> String {
    if maps.isEmpty { return "" }
    let head = ["NAME", "TYPE", "KEY", "VALUE", "ENTRIES", "KEY TYPE", "VALUE TYPE", "SHOWN"]
    let rows = maps.map { map in
      [
        map.name, map.type, number(map.keySize), number(map.valueSize), number(map.maxEntries), map.key ?? "-",
        map.value ?? "-", map.sample ?? "-",
      ]
    }
    return TextTable(rows: [head] + rows, numeric: [2, 3, 4]).text()
  }

  private static func aggregates(_ aggregates: [MapDescription]) -> String {
    if aggregates.isEmpty { return "" }
    let rows = aggregates.map { [$0.name, $0.type, number($0.maxEntries), $0.key ?? "-"] }
    return TextTable(rows: [["NAME", "FUNCTION", "ENTRIES", "KEY"]] + rows, numeric: [2]).text()
  }

  private static func number(_ value: Int?) -> String { value.map(String.init) ?? "-" }

  // MARK: Options

  private static func options(_ options: [ObjectDescription.Option]) -> String {
    self.options(options.map { ($0.option, $0.type) })
  }

  private static func options(_ options: [(option: RecipeOption, type: String)]) -> String {
    if options.isEmpty { return "" }
    let rows = options.map { option, type in
      let name = (option.short.map { "-\($0), " } ?? "    ") + option.flag
      let value = option.required ? "(required)" : option.defaultValue?.description ?? "-"
      let choices = option.choices.map(\.description).joined(separator: ", ")
      return [name, type, value, option.help + (choices.isEmpty ? "" : " (one of: \(choices))")]
    }
    return TextTable(rows: [["OPTION", "TYPE", "DEFAULT", "HELP"]] + rows).text()
  }

  // MARK: Events

  private static func event(_ event: EventDescription) -> String {
    guard let size = event.size else {
      return "  \(event.source): nothing says what its records are (--event \(event.source)='struct NAME')\n"
    }
    let title = "  \(event.source): \(event.type.map { "\($0), " } ?? "")\(size) bytes\n"
    let rows = event.members.map { member in
      [
        "\(member.offset)", member.bits.map { "\($0.offset):\($0.width)" } ?? "\(member.size)", member.name,
        member.type ?? "-",
      ]
    }
    let head = ["OFFSET", "SIZE", "NAME", "TYPE"]
    let lines = event.definition?.split(separator: "\n").map { "    \($0)\n" }.joined() ?? ""
    return title + lines + TextTable(rows: [head] + rows, numeric: [0, 1]).text(indent: 4)
  }
}
