import Recipes
import Tracing

/// What a target is, for programs: one object in one line. Sizes and offsets are in bytes; what is not known is `null`.
enum InspectJSON {
  private typealias Fields = [(name: String, value: String)]

  static func text(_ object: ObjectDescription) -> String {
    var fields = file(object.file)
    fields += [
      (
        "object",
        object.object.map { JSONText.object([("size", "\($0.size)"), ("digest", quoted($0.digest))]) } ?? "null"
      ),
      ("summary", quoted(object.summary)), ("version", quoted(object.version)), ("license", quoted(object.license)),
      ("programs", list(object.programs, program)), ("subprogram_helpers", strings(object.subprogramHelpers)),
      ("maps", list(object.maps, map)),
      (
        "options",
        list(object.options) { JSONText.object([("variable", quoted($0.variable))] + option($0.option, $0.type)) }
      ),
      ("events", list(object.events, event)), ("types", types(object.types)),
    ]
    return JSONText.object(fields) + "\n"
  }

  static func text(_ script: ScriptDescription) -> String {
    let header = script.header
    var fields = file(script.file)
    fields += [
      ("recipe", quoted(header?.name)), ("summary", quoted(header?.summary)), ("version", quoted(header?.version)),
      ("needs", strings((header?.needs ?? []).map(\.description))),
      ("options", list(header?.options ?? []) { JSONText.object(option($0, $0.type.rawValue)) }),
      ("probes", list(script.probes, probe)), ("maps", list(script.maps, map)),
      ("aggregates", list(script.aggregates, map)), ("events", list(script.events, event)),
      ("obstacle", quoted(script.obstacle)), ("problems", strings(script.problems.map(\.text))),
    ]
    return JSONText.object(fields) + "\n"
  }

  private static func file(_ file: FileDescription) -> Fields {
    [
      ("name", quoted(file.name)), ("kind", quoted(file.kind)), ("size", "\(file.size)"),
      ("digest", quoted(file.digest)),
    ]
  }

  private static func types(_ types: ObjectDescription.Types) -> String {
    JSONText.object([
      ("btf_size", "\(types.size)"), ("relocations", "\(types.relocationCount)"),
      ("kernel_types", strings(types.kernelTypes)), ("registers", quoted(types.registers)),
      ("archived_kernels", strings(types.archivedKernels)),
    ])
  }

  private static func program(_ program: ObjectDescription.Program) -> String {
    JSONText.object([
      ("name", quoted(program.name)), ("type", quoted(program.type)), ("section", quoted(program.section)),
      ("place", quoted(program.place)), ("annotations", strings(program.annotations)),
      ("helpers", strings(program.helpers)), ("instructions", "\(program.instructionCount)"),
      ("kernel_writes", strings(program.kernelWrites)), ("notes", strings(program.notes)),
    ])
  }

  private static func probe(_ probe: ScriptDescription.Probe) -> String {
    JSONText.object([
      ("probe", quoted(probe.spec)), ("from", quoted(probe.place)), ("programs", "\(probe.programCount)"),
      ("targets", strings(probe.targets)), ("helpers", strings(probe.helpers)),
    ])
  }

  private static func map(_ map: MapDescription) -> String {
    JSONText.object([
      ("name", quoted(map.name)), ("type", quoted(map.type)), ("key_size", number(map.keySize)),
      ("value_size", number(map.valueSize)), ("max_entries", number(map.maxEntries)), ("flags", "\(map.flags)"),
      ("key", quoted(map.key)), ("value", quoted(map.value)), ("sample", quoted(map.sample)),
    ])
  }

  private static func option(_ option: RecipeOption, _ type: String) -> Fields {
    [
      ("flag", quoted(option.flag)), ("short", quoted(option.short.map { "-\($0)" })), ("type", quoted(type)),
      ("default", quoted(option.defaultValue?.description)), ("help", quoted(option.help)),
      ("required", "\(option.required)"), ("choices", strings(option.choices.map(\.description))),
    ]
  }

  private static func event(_ event: EventDescription) -> String {
    JSONText.object([
      ("source", quoted(event.source)), ("type", quoted(event.type)), ("size", number(event.size)),
      ("definition", quoted(event.definition)), ("members", list(event.members, member)),
    ])
  }

  private static func member(_ member: EventDescription.Member) -> String {
    JSONText.object([
      ("name", quoted(member.name)), ("type", quoted(member.type)), ("offset", "\(member.offset)"),
      ("size", "\(member.size)"), ("bit_offset", number(member.bits?.offset)),
      ("bit_width", number(member.bits?.width)),
    ])
  }

  // MARK: Values

  private static func quoted(_ text: String?) -> String { JSONText.quoted(text) }
  private static func number(_ value: Int?) -> String { value.map(String.init) ?? "null" }
  private static func strings(_ texts: [String]) -> String { JSONText.list(texts.map(quoted)) }
  private static func list<Element>(_ values: [Element], _ text: (Element) -> String) -> String {
    JSONText.list(values.map(text))
  }
}
