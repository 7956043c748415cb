import Packages
import Testing

@testable import Support
@testable import Tracing

/// What documentation comments say, and how it becomes the fields of a package.
struct AnnotationTests {
  private func annotations(_ comment: String) -> [Annotation] {
    let declaration = CDeclaration.all(in: Array("\(comment)\nint x;".utf8))[0]
    return Annotation.all(in: declaration.comments, file: "x.bpf.c")
  }

  private func texts(_ comment: String) -> [String] { annotations(comment).map { "\($0.line) \($0.key)=\($0.text)" } }

  @Test func keysAndTexts() {
    #expect(texts("/// Process ID to trace") == ["1 description=Process ID to trace"])
    #expect(
      texts("/// @description only\n/// this one\n/// @cmdarg {\"short\": \"p\"}")
        == ["1 description=only this one", "3 cmdarg={\"short\": \"p\"}"])
    #expect(
      texts("/** @cmdarg {\"short\": \"p\",\n *\n * \"long\": \"@pid\"} */") == [
        "1 cmdarg={\"short\": \"p\", \"long\": \"@pid\"}"
      ])
    #expect(
      texts("/// @sample {\"interval\": 1} @description a b") == ["1 sample={\"interval\": 1}", "1 description=a b"])
    #expect(texts("/// mail to a@description.org or x @ y") == ["1 description=mail to a@description.org or x @ y"])
    #expect(texts("/// \\brief Doxygen's way") == ["1 brief=Doxygen's way"])
    #expect(texts("/// @export") == ["1 export="])
    #expect(texts("///") == [])
  }

  @Test func paragraphs() {
    #expect(
      texts("/// @brief short\n///\n/// long\n/// text\n///\n/// more [1\n/// of it")
        == ["1 brief=short", "3 description=long text more [1 of it"])
  }

  // MARK: Fields

  private func object(_ text: String) -> ObjectAnnotations {
    ObjectAnnotations(SourceAnnotations([.init(path: "x.bpf.c", text: Array(text.utf8))]))
  }

  private func variable(_ comment: String) throws -> PackagedVariable {
    var annotations = object("\(comment)\nint x;")
    return try annotations.apply(to: PackagedVariable(name: "x", type: "int"))
  }

  private func map(_ comment: String) throws -> PackagedMap {
    var annotations = object("\(comment)\nstruct { int a; } m SEC(\".maps\");")
    return try annotations.apply(to: PackagedMap(name: "m", identifier: "m"))
  }

  private func program(_ comment: String) throws -> PackagedProgram {
    var annotations = object("\(comment)\nSEC(\"xdp\") int p(void *ctx) { return 0; }")
    return try annotations.apply(to: PackagedProgram(name: "p", section: "xdp"))
  }

  @Test func fieldsOfVariables() throws {
    let made = try variable(
      "/// the process\n/// @cmdarg {\"default\": 3, \"short\": \"p\", \"long\": \"pid\", \"help\": \"h\", \"more\": 1}\n/// @unit s"
    )
    #expect(made.description == "the process")
    #expect(made.argument?.defaultValue == .integer(3) && made.argument?.short == "p")
    #expect(made.argument?.long == "pid" && made.argument?.help == "h")
    #expect(made.argument?.other == [JSONMember("more", .integer(1))])
    #expect(made.other == [JSONMember("unit", .string("s"))])
    #expect(try variable("/// @description 12").description == "12")
    #expect(try variable("/// @description \"a \\\"b\\\"\"").description == "a \"b\"")
  }

  @Test func fieldsOfMaps() throws {
    let sample = try map(
      "/// @sample {\"interval\": 500, \"type\": \"linear_hist\", \"unit\": \"usecs\", \"clear_map\": true}"
    ).sample
    #expect(sample == MapSample(milliseconds: 500, form: .linear, unit: "usecs", clears: true))
    #expect(try map("/// @intepreter {\"stack_trace\": {}}").interpreter == .stacks(fields: [:], areNamed: true))
    #expect(try map("/// @interpreter {\"stack_trace\": {}}").interpreter == .stacks(fields: [:], areNamed: true))
    #expect(try map("/// @interpreter default_struct").interpreter == .plain)
    #expect(try map("/// @export_config \"default\"").export == .valueType)
    #expect(try map("/// @export_config no_export").export == .none)
    #expect(try map("/// @export_config {\"btf_type_id\": 3}").export == .type(3))
  }

  @Test func aTypeForAMap() throws {
    let text = "struct event { int a; };\n/// @export_config event\nstruct { int a; } m SEC(\".maps\");"
    var annotations = object(text)
    #expect(annotations.exportedType(of: "m") == "struct event")
    #expect(try annotations.apply(to: PackagedMap(name: "m", identifier: "m")).export == .none)
  }

  @Test func fieldsOfPrograms() throws {
    let made = try program("/// @link false\n/// @ifindex 2\n/// @tchook {\"attach_point\": \"BPF_TC_EGRESS\"}")
    #expect(!made.isAttached)
    #expect(
      made.other == [
        JSONMember("ifindex", .integer(2)),
        JSONMember("tchook", .object([JSONMember("attach_point", .string("BPF_TC_EGRESS"))])),
      ])
  }

  @Test(arguments: [
    ("/// @attach_to profile:99", JSONValue.string("profile:99")),
    ("/// @attach_to \"xdp:eth0\"", .string("xdp:eth0")),
    (
      "/// @attach_to [\"t:sched:sched_switch\", \"p:9\"]",
      .array([.string("t:sched:sched_switch"), .string("p:9")])
    ),
  ])
  func placesOfPrograms(comment: String, value: JSONValue) throws {
    #expect(try program(comment).other == [JSONMember("attach_to", value)])
  }

  /// What other loaders may take is written down, and said to be refused here.
  @Test(arguments: [
    ("/// @flags 8", "@flags 8 can't be run here: XDP_FLAGS_HW_MODE"),
    ("/// @flags 16", "@flags 16 can't be run here: XDP_FLAGS_REPLACE"),
    ("/// @flags 6", "@flags 6 can't be run here: XDP_FLAGS_SKB_MODE and XDP_FLAGS_DRV_MODE"),
    ("/// @flags 32", "@flags 32 can't be run here: no such XDP_FLAGS"),
    ("/// @tchook {\"attach_point\": \"BPF_TC_CUSTOM\"}", "@tchook can't be run here: BPF_TC_CUSTOM"),
  ])
  func fieldsThatOnlyOthersTake(comment: String, warning: String) throws {
    var annotations = object("\(comment)\nSEC(\"xdp\") int run(void *ctx) { return 0; }")
    #expect(try annotations.apply(to: PackagedProgram(name: "run", section: "xdp")).other.count == 1)
    #expect(annotations.warnings.map(\.description).first?.hasPrefix("x.bpf.c:1: \(warning)") == true)
  }

  @Test func documentation() throws {
    var annotations = object(
      "/// @brief b\n/// @version 1.0\n/// @details d\n///\n/// text\nchar _license[] = \"GPL\";")
    let made = try annotations.documentation(license: "_license")
    #expect(made.brief == "b" && made.version == "1.0" && made.details == "d" && made.description == "text")
  }

  @Test(arguments: [
    ("\n/// @cmdarg {\"short\": }", "x.bpf.c:2: @cmdarg: JSON: a value is expected, '}' stands here"),
    ("/// @cmdarg short", "x.bpf.c:1: @cmdarg: JSON: "),
    ("/// @cmdarg {\"short\": \"pid\"}", "x.bpf.c:1: @cmdarg.short: one character is needed, this is 'pid'"),
    ("/// @cmdarg {\"long\": \"a b\"}", "x.bpf.c:1: @cmdarg.long: 'a b' is no name for an option"),
    ("/// @cmdarg {\"help\": 1}", "x.bpf.c:1: @cmdarg.help: a string is needed, this is an integer"),
    ("/// @cmdarg [1]", "x.bpf.c:1: @cmdarg: an object is needed, this is a list"),
  ])
  func badFieldsOfVariables(comment: String, message: String) throws {
    let error = try #require(throws: MoontraceError.self) { try variable(comment) }
    #expect(error.description.hasPrefix(message), "\(error)")
  }

  @Test(arguments: [
    ("/// @sample {\"interval\": \"1s\"}", "@sample.interval: an integer is needed, this is a string"),
    (
      "/// @sample {\"interval\": 1, \"type\": \"log_hist\"}",
      "@sample.type: 'log_hist' is unknown (did you mean 'log2_hist'?)"
    ),
    ("/// @intepreter {\"stacks\": {}}", "@intepreter.stack_trace: this field is missing"),
    ("/// @export_config all", "@export_config: 'all' is unknown"),
  ])
  func badFieldsOfMaps(comment: String, message: String) throws {
    let error = try #require(throws: MoontraceError.self) { try map(comment) }
    #expect(error.description.hasPrefix("x.bpf.c:1: \(message)"), "\(error)")
  }

  @Test(arguments: [
    ("/// @ifindex eth0", "@ifindex: JSON: "),
    ("/// @ifindex 0", "@ifindex: a number is needed, this is '0'"),
    (
      "/// @tchook {\"attach_point\": \"BPF_TC_INGRES\"}",
      "@tchook.attach_point: 'BPF_TC_INGRES' is unknown (did you mean"
    ),
    ("/// @xdpopts 3", "@xdpopts: an object is needed"),
    ("/// @attach_to prfile:99", "@attach_to: 'prfile:99': no probe is called 'prfile' (did you mean 'profile'?)"),
    ("/// @attach_to [\"profile:99\", 3]", "@attach_to: a place is needed, or a list of places"),
    ("/// @attach_to", "@attach_to: a place is needed, or a list of places"),
    ("/// @attach xdp:lo", "@attach is what the section says (write @attach_to"),
    ("/// @link 1", "@link: true or false is needed, this is an integer"),
  ])
  func badFieldsOfPrograms(comment: String, message: String) throws {
    let error = try #require(throws: MoontraceError.self) { try program(comment) }
    #expect(error.description.hasPrefix("x.bpf.c:1: \(message)"), "\(error)")
  }

  @Test func whatMayBeMisspelled() throws {
    var annotations = object(
      "/// @cmdargs {\"short\": \"p\"}\nint x;\n/// @sample {\"interval\": 1}\nstatic int gone;\n/// a note\nint other;"
    )
    _ = try annotations.apply(to: PackagedVariable(name: "x", type: "int"))
    annotations.finish()
    #expect(
      annotations.warnings.map(\.description) == [
        "x.bpf.c:1: @cmdargs is no annotation that is known here (did you mean '@cmdarg'?)",
        "x.bpf.c:3: @sample is on 'gone', which is no variable, map or program of the object",
      ])
  }
}
