import BTF
import Packages
import RandomTestSupport
import Support
import Testing

/// Whatever the bytes, a reader gives a value or an error that names the file; what it gives is written and read again
/// as the same.
struct FuzzTests {
  private static let name = "bad input"
  private static let skeleton = Array(Golden.everyField.utf8)

  /// What a reader gives; nil when it refuses. Any other error than the project's own ends the test.
  private func read<Value>(_ seed: UInt64, _ body: () throws -> Value) throws -> Value? {
    do {
      return try body()
    } catch let error as MoontraceError {
      #expect(error.description.hasPrefix(Self.name), "seed \(seed): \(error)")
      #expect(error.code == .scriptFailed)
      return nil
    }
  }

  @Test func json() throws {
    let seeds = [
      Self.skeleton, Array(Golden.package.utf8), Array(#"[[{"a":"\ud83d\ude00\n"}],-1.5e3,18446744073709551615]"#.utf8),
    ]
    let words = [
      "{", "[", "\"", ",", ":", "\\u", "\\ud800", "1e400", "-", "null", "\"a\":", "[[[[[[[[", "99999999999999999999",
    ]
    try FuzzRun.cases("JSON", atLeast: 1) { seed in
      var mutator = Mutator(seed: seed, seeds: seeds, words: words)
      let bytes = mutator.next()
      _ = PackageFormat.of(bytes, name: "-")
      guard let value = try read(seed, { try JSONValue(json: bytes, name: Self.name) }) else { return false }
      #expect(try JSONValue(json: value.json(isPretty: true), name: Self.name) == value, "seed \(seed)")
      #expect(try JSONValue(yaml: value.yaml(), name: Self.name) == value, "seed \(seed)")
      return true
    }
  }

  @Test func yaml() throws {
    let anchors = "a: &a [x, 'y']\nb: &b {c: *a, d: *a}\ne:\n- *b\n- >\n  folded\n  text\n- |\n  kept\n"
    let seeds = [Array(Golden.everyFieldYAML.utf8), Array(anchors.utf8), Self.skeleton]
    let words = [
      "&a ", "*a", "*b", "- ", ": ", "? ", "!!int ", "!<x>", "|\n", "{", "[", "'", "\"", "\n---\n", "%YAML 1.1\n", "\t",
      "<<: ",
    ]
    try FuzzRun.cases("YAML", atLeast: 3) { seed in
      var mutator = Mutator(seed: seed, seeds: seeds, words: words)
      let bytes = mutator.next()
      _ = PackageFormat.of(bytes, name: "-")
      guard let value = try read(seed, { try JSONValue(yaml: bytes, name: Self.name) }) else { return false }
      #expect(try JSONValue(yaml: value.yaml(), name: Self.name) == value, "seed \(seed)")
      #expect(try JSONValue(json: value.json(), name: Self.name) == value, "seed \(seed)")
      return true
    }
  }

  @Test func skeletons() throws {
    let whole = try JSONValue(json: Self.skeleton, name: Self.name)
    try FuzzRun.cases("skeletons", atLeast: 10) { seed in
      var mutator = Mutator(seed: seed, seeds: [])
      var value = whole
      for _ in 0...mutator.below(3) { value = mutator.exchange(in: value) }
      guard let meta = try read(seed, { try PackageMeta(value, name: Self.name) }) else { return false }
      #expect(try PackageMeta(meta.json, name: Self.name) == meta, "seed \(seed)")
      return true
    }
  }

  @Test func packages() throws {
    let meta = try PackageMeta(Self.skeleton, .json, name: Self.name)
    let seeds = [
      Array(Golden.package.utf8), Package(object: BinarySeeds.elf, meta: meta).bytes(.json),
      Package(object: [UInt8](repeating: 7, count: 5000), meta: PackageMeta(skeleton: meta.skeleton)).bytes(.json),
    ]
    let words = ["\"bpf_object\":", "\"bpf_object_size\":", "67108864", "=", "eJy", "\"meta\":", "null"]
    let whole = try JSONValue(json: seeds[1], name: Self.name)
    try FuzzRun.cases("packages", atLeast: 2) { seed in
      var mutator = Mutator(seed: seed, seeds: seeds, words: words)
      let bytes = mutator.below(2) == 0 ? mutator.next() : mutator.exchange(in: whole).json()
      _ = PackageFormat.of(bytes, name: "x.json")
      guard let package = try read(seed, { try Package(bytes, .json, name: Self.name) }) else { return false }
      #expect(try Package(package.bytes(.yaml), .yaml, name: Self.name) == package, "seed \(seed)")
      return true
    }
  }

  @Test func archives() throws {
    let package = TarPackage(
      package: Package(object: [1, 2, 3], meta: try PackageMeta(Self.skeleton, .json, name: Self.name)),
      kernels: [
        ArchivedTypes(
          system: SystemIdentity(osRelease: "ID=debian\nVERSION_ID=12", architecture: "x86_64", release: "6.1"),
          btf: BinarySeeds.btf)
      ])
    let long = [TarEntry(path: String(repeating: "directory/", count: 20), bytes: [9]), TarEntry(path: "b", bytes: [])]
    let seeds = [try package.bytes(), try long.tar()]
    let words = ["../", "/", "777", "ustar", "17 path=", "9 size=0\n", "\0\0\0\0", "L", "x", "5", "2"]
    try FuzzRun.cases("tar", atLeast: 5) { seed in
      var mutator = Mutator(seed: seed, seeds: seeds, words: words)
      var bytes = mutator.next()
      // Else nearly all would be refused for their checksums.
      if mutator.below(4) > 0 { signHeaders(&bytes) }
      _ = PackageFormat.of(bytes, name: "-")
      _ = try read(seed) { try TarPackage(bytes, name: Self.name) }
      guard let entries = try read(seed, { try [TarEntry](tar: bytes, name: Self.name) }) else { return false }
      #expect(try [TarEntry](tar: entries.tar(), name: Self.name) == entries, "seed \(seed)")
      return true
    }
  }

  @Test func types() throws {
    let seeds = [BinarySeeds.btf, Array(BinarySeeds.btf.dropLast(20)) + BinarySeeds.btf]
    try FuzzRun.cases("BTF", atLeast: 5) { seed in
      var mutator = Mutator(seed: seed, seeds: seeds)
      let bytes = mutator.next()
      guard let graph = try read(seed, { try TypeGraph(blob: bytes, name: Self.name) }) else { return false }
      for id in 0...min(graph.endID, 200) { try use(graph, id, seed) }
      _ = graph.index(of: .struct)
      var tables = Mutator(seed: seed, seeds: [BinarySeeds.lines])
      let lines = try read(seed) { try LineTable(extBlob: tables.next(), types: graph) }
      _ = lines?.entry(section: ".data", instruction: 1)
      _ = lines?.entries(withText: "return 0;")
      return true
    }
  }

  /// Asks everything that can be asked of a type.
  private func use(_ graph: TypeGraph, _ id: TypeID, _ seed: UInt64) throws {
    _ = graph.definition(of: id)
    _ = graph.spelling(of: id)
    _ = graph.prototype(of: id)
    _ = graph.memberNames(of: id)
    _ = graph.member("pid", of: id)
    _ = graph.element(of: id)
    _ = try read(seed) { try graph.layout(of: id) }
  }

  @Test func objects() throws {
    try FuzzRun.cases("ELF", atLeast: 5) { seed in
      var mutator = Mutator(seed: seed, seeds: [BinarySeeds.elf])
      let bytes = mutator.next()
      guard let image = try read(seed, { try ELFImage(bytes: bytes, name: Self.name) }) else { return false }
      _ = image.symbols()
      _ = image.symbols(ofType: 11)
      for section in image.sections {
        let contents = Array(image.contents(section))
        if section.name == ".BTF" { _ = try read(seed) { try TypeGraph(blob: contents, name: Self.name) } }
      }
      return true
    }
  }

  /// Makes the checksums right wherever a header seems to stand.
  private func signHeaders(_ archive: inout [UInt8]) {
    for start in stride(from: 0, through: archive.count - 512, by: 512) where archive[start + 257] == UInt8(ascii: "u")
    {
      for index in 148..<156 { archive[start + index] = 0x20 }
      let digits = String(archive[start..<start + 512].reduce(0) { $0 + Int($1) }, radix: 8)
      for (index, byte) in digits.utf8.enumerated() { archive[start + 148 + index] = byte }
    }
  }
}
