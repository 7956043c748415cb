import Packages
import Testing

struct PackageTests {
  private func meta(_ source: String) throws -> PackageMeta {
    try PackageMeta(Array(source.utf8), .json, name: "x.skel.json")
  }

  private var small: Package {
    var meta = PackageMeta(skeleton: Skeleton(objectName: "small_bpf"))
    meta.toolVersion = "0.3.4"
    meta.skeleton.programs = [PackagedProgram(name: "run", section: "tp/sched/sched_switch")]
    return Package(object: Array("an object, that is an object".utf8), meta: meta)
  }

  @Test func everyFieldIsReadAndWritten() throws {
    let meta = try meta(Golden.everyField)
    #expect(text(meta.bytes(.json)) == Golden.everyField)
    #expect(meta.exportTypes[0].members.map(\.type) == ["unsigned int", "char[16]"])
    #expect(meta.exportTypes[0].typeID == 17)
    #expect(meta.perfBufferPages == 128)
    #expect(meta.pollTimeoutMilliseconds == -1)
    #expect(meta.exportsEachMap && meta.isVerbose && meta.printsHeader)
    let variable = meta.skeleton.sections[0].variables[0]
    #expect(variable.argument?.defaultValue == .boolean(false))
    #expect(variable.other == [JSONMember("offset", .integer(4)), JSONMember("size", .integer(1))])
    let maps = meta.skeleton.maps
    #expect(maps[1].sample == MapSample(milliseconds: 1000, form: .logarithmic, unit: "usecs", clears: true))
    #expect(maps[2].export == .members([ExportedMember(name: "pid", offset: 4, typeID: 2)]))
    #expect(maps.map(\.export).dropFirst(3) == [.type(9), .valueType])
    #expect(maps[3].interpreter == .stacks(fields: ["kstack": "kernel", "pid": "tgid"], areNamed: false))
    #expect(meta.skeleton.programs[1].isAttached == false)
    #expect(meta.skeleton.documentation.brief == "Every field there is.")
  }

  @Test func skeletonsInYAMLSayTheSame() throws {
    let meta = try meta(Golden.everyField)
    #expect(text(meta.bytes(.yaml)) == Golden.everyFieldYAML)
    #expect(try PackageMeta(Array(Golden.everyFieldYAML.utf8), .yaml, name: "x") == meta)
  }

  @Test func whatIsAbsentOrNullHasItsDefault() throws {
    for source in [
      #"{"bpf_skel":{"obj_name":"x"}}"#,
      #"{"bpf_skel":{"obj_name":"x","data_sections":null,"maps":null,"progs":null,"doc":null},"export_types":null}"#,
    ] {
      #expect(try meta(source) == PackageMeta(skeleton: Skeleton(objectName: "x")))
    }
    let maps = #"{"bpf_skel":{"obj_name":"x","maps":[{"name":"m","ident":"m","sample":{"interval":5}}]}}"#
    let sample = try meta(maps).skeleton.maps[0].sample
    #expect(sample == MapSample(milliseconds: 5, form: .table, unit: "(unit)", clears: false))
    #expect(text(PackageMeta(skeleton: Skeleton(objectName: "x")).json.json()) == Golden.defaults)
  }

  @Test func aSkeletonAsOtherToolsMakeItIsRead() throws {
    let meta = try meta(Golden.otherTool)
    #expect(meta.skeleton.sections.map(\.name) == [".rodata", ".bss"])
    #expect(meta.skeleton.maps.map(\.isMapped) == [false, true])
    #expect(meta.skeleton.programs[0].other.map(\.name) == ["flags", "ifindex", "xdpopts"])
    #expect(meta.toolVersion == "0.3.3")
    let again = try PackageMeta(meta.bytes(.json), .json, name: "x")
    #expect(again == meta)
  }

  @Test func unknownFieldsAreKept() throws {
    let source = """
      {"bpf_skel":{"obj_name":"x","maps":[{"name":"m","ident":"m","note":{"b":1,"a":null}}],"progs":[],"new":[1]},
       "later":"x"}
      """
    let meta = try meta(source)
    #expect(meta.other == [JSONMember("later", .string("x"))])
    #expect(meta.skeleton.other == [JSONMember("new", .array([.integer(1)]))])
    let written = try JSONValue(json: meta.bytes(.json), name: "x")
    #expect(written["later"] == .string("x"))
    #expect(try self.meta(text(meta.bytes(.json))) == meta)
    #expect(text(meta.json.json()).contains(#""intepreter":"default_struct","note":{"b":1,"a":null}}"#))
  }

  @Test(arguments: [
    (#"[]"#, "an object is needed, this is a list"),
    (#"{}"#, "bpf_skel: this field is missing"),
    (#"{"bpf_skel":{}}"#, "bpf_skel.obj_name: this field is missing"),
    (#"{"bpf_skel":{"obj_name":7}}"#, "bpf_skel.obj_name: a string is needed, this is an integer"),
    (#"{"bpf_skel":{"obj_name":"x","maps":{}}}"#, "bpf_skel.maps: a list is needed, this is an object"),
    (#"{"bpf_skel":{"obj_name":"x","maps":[1]}}"#, "bpf_skel.maps[0]: an object is needed, this is an integer"),
    (
      #"{"bpf_skel":{"obj_name":"x","maps":[{"name":"m","ident":"m","sample":{"interval":"1s"}}]}}"#,
      "bpf_skel.maps[0].sample.interval: an integer is needed, this is a string"
    ),
    (
      #"{"bpf_skel":{"obj_name":"x","maps":[{"name":"m","ident":"m","sample":{"interval":-1}}]}}"#,
      "bpf_skel.maps[0].sample.interval: an integer from 0 to 2147483647 is needed, this is -1"
    ),
    (
      #"{"bpf_skel":{"obj_name":"x","maps":[{"name":"m","ident":"m","sample":{"interval":1,"type":"log_hist"}}]}}"#,
      "bpf_skel.maps[0].sample.type: 'log_hist' is unknown (did you mean 'log2_hist'?) "
        + "(there are log2_hist, linear_hist, default_kv)"
    ),
    (
      #"{"bpf_skel":{"obj_name":"x","maps":[{"name":"m","ident":"m","export_config":"all"}]}}"#,
      "bpf_skel.maps[0].export_config: 'all' is unknown (there are no_export, default)"
    ),
    (
      #"{"bpf_skel":{"obj_name":"x","maps":[{"name":"m","ident":"m","export_config":{"btf_type":1}}]}}"#,
      "bpf_skel.maps[0].export_config.btf_type_id: this field is missing"
    ),
    (
      #"{"bpf_skel":{"obj_name":"x","maps":[{"name":"m","ident":"m","export_config":{"btf_type_id":1,"x":2}}]}}"#,
      "bpf_skel.maps[0].export_config.x: there is no such field (there are btf_type_id, custom_members)"
    ),
    (
      #"{"bpf_skel":{"obj_name":"x","maps":[{"name":"m","ident":"m","export_config":true}]}}"#,
      "bpf_skel.maps[0].export_config: a string or an object is needed, this is a boolean"
    ),
    (
      #"{"bpf_skel":{"obj_name":"x","maps":[{"name":"m","ident":"m","intepreter":{"stack":{}}}]}}"#,
      "bpf_skel.maps[0].intepreter.stack_trace: this field is missing"
    ),
    (
      #"{"bpf_skel":{"obj_name":"x","maps":[{"name":"m","ident":"m","intepreter":{"stack_trace":{"with_symbol":1}}}]}}"#,
      "bpf_skel.maps[0].intepreter.stack_trace.with_symbol: there is no such field (did you mean 'with_symbols'?)"
    ),
    (
      #"{"bpf_skel":{"obj_name":"x","progs":[{"name":"p","attach":"kprobe/x","link":1}]}}"#,
      "bpf_skel.progs[0].link: true or false is needed, this is an integer"
    ),
    (
      #"{"bpf_skel":{"obj_name":"x"},"export_types":[{"name":"e","members":[],"size":4294967296,"type_id":1}]}"#,
      "export_types[0].size: an integer from 0 to 4294967295 is needed, this is 4294967296"
    ),
    (
      #"{"bpf_skel":{"obj_name":"x"},"perf_buffer_pages":18446744073709551615}"#,
      "perf_buffer_pages: an integer from 0 to 2147483647 is needed, this is 18446744073709551615"
    ),
  ])
  func wrongFieldsAreNamedByTheirPath(source: String, message: String) {
    #expect(refusal { _ = try meta(source) } == "x.skel.json: \(message)")
  }

  @Test func fieldsThatStandTwiceAreRefused() {
    let skeleton = JSONValue.object([JSONMember("obj_name", .string("x")), JSONMember("obj_name", .string("y"))])
    let value = JSONValue.object([JSONMember("bpf_skel", skeleton)])
    #expect(refusal { _ = try PackageMeta(value, name: "x") } == "x: bpf_skel.obj_name: stands there twice")
  }

  @Test(arguments: DataFormat.allCases) func packagesAreReadAsTheyWereWritten(format: DataFormat) throws {
    var package = small
    #expect(try Package(package.bytes(format), format, name: "x") == package)
    #expect(package.bytes(format) == package.bytes(format))
    package.object = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) }
    package.other = [JSONMember("signature", .string("abc"))]
    #expect(try Package(package.bytes(format), format, name: "x") == package)
    package.object = []
    #expect(try Package(package.bytes(format), format, name: "x") == package)
  }

  @Test func packagesAsOtherToolsMakeThemAreRead() throws {
    let package = try Package(Array(Golden.package.utf8), .json, name: "package.json")
    #expect(text(package.object) == "\u{7f}ELF, or what stands for it in a test\n")
    #expect(package.meta.skeleton.objectName == "golden_bpf")
  }

  @Test(arguments: [
    (#""bpf_object_size":38"#, #""bpf_object_size":37"#, "bpf_object: it inflates to more than 37 bytes"),
    (#""bpf_object_size":38"#, #""bpf_object_size":39"#, "bpf_object: it inflates to 38 bytes, not to 39"),
    (#""bpf_object_size":38"#, #""bpf_object_size":60000000"#, "bpf_object: 44 bytes can't inflate to 60000000"),
    (
      #""bpf_object_size":38"#, #""bpf_object_size":67108865"#,
      "bpf_object_size: an integer from 0 to 67108864 is needed, this is 67108865"
    ),
    (#""bpf_object_size":38,"#, "", "bpf_object_size: this field is missing"),
    ("TDMs=", "TDMt=", "bpf_object: the last character of base64 has bits that belong to no byte"),
    ("TDMs=", "TDMsA=", "bpf_object: base64 has groups of 4 characters, this has 61 characters"),
    ("TDMs=", "TDMs", "bpf_object: base64 has groups of 4 characters, this has 59 characters"),
    ("DMs=", "DMsA", "bpf_object: bytes follow what was deflated (1)"),
    ("\"eNqr", "\"eNq", "bpf_object: base64 has groups of 4 characters, this has 59 characters"),
    ("\"eNqr", "\"eN!r", "bpf_object: character 3 ('!') is none of base64"),
    ("\"eNqr", "\"eKqr", "bpf_object: it is not in zlib's format, is damaged, or ends too early"),
  ])
  func damagedPackagesAreRefused(whole: String, damaged: String, message: String) throws {
    let source = try #require(replacing(whole, by: damaged, in: Golden.package))
    #expect(refusal { _ = try Package(Array(source.utf8), .json, name: "x") } == "x: \(message)")
  }

  /// The text with one part of it replaced; nil when it has no such part.
  private func replacing(_ part: String, by other: String, in text: String) -> String? {
    guard let range = text.firstRange(of: part) else { return nil }
    return text.replacingCharacters(range, other)
  }

  @Test func formatsAreRecognised() throws {
    let package = small
    let archive = try TarPackage(package: package).bytes()
    let cases: [([UInt8], String, PackageFormat?)] = [
      (package.bytes(.json), "-", .package(.json)), (package.bytes(.yaml), "-", .package(.yaml)),
      (package.meta.bytes(.json), "-", .skeleton(.json)), (package.meta.bytes(.yaml), "-", .skeleton(.yaml)),
      (Array(Golden.package.utf8), "package.json", .package(.json)), (archive, "x.lua", .tar),
      ([0x7f, 0x45, 0x4c, 0x46, 2], "x", .elf), (Array("print(1)".utf8), "-", .lua),
      (Array("int x;".utf8), "x.bpf.c", .c), (Array("{}".utf8), "x.json", nil), (Array("a: 1".utf8), "x.yml", nil),
      (Array("{ 'bpf_skel' : {} }".utf8), "x.yaml", .skeleton(.yaml)),
      (Array("local x = 'bpf_object:'".utf8), "-", .lua), ([0x1f, 0x8b, 8, 0], "x.tar.gz", nil),
      ([0x1b, 0x4c, 0x75, 0x61], "-", nil), ([], "x.lua", .lua), ([], "-", .lua),
    ]
    for (bytes, name, format) in cases {
      #expect(PackageFormat.of(bytes, name: name) == format, "\(name): \(text(bytes))")
    }
  }
}

extension String {
  fileprivate func replacingCharacters(_ range: Range<String.Index>, _ other: String) -> String {
    String(self[..<range.lowerBound]) + other + self[range.upperBound...]
  }
}
