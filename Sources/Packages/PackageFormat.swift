/// What some bytes are, as far as `run` and `inspect` care.
public enum PackageFormat: Equatable, Sendable {
  /// `package.json`, `package.yaml`: an object with its `meta`.
  case package(DataFormat)
  /// `NAME.skel.json`, `NAME.skel.yaml`: the `meta` alone.
  case skeleton(DataFormat)
  /// A tar package.
  case tar
  case elf
  /// A C program to be compiled.
  case c
  case lua

  /// Recognises bytes by what stands in them, and where that leaves a choice, by the file's name.
  ///
  /// It only looks: whether the file is sound is found when it is read. Nil when the bytes are none of these:
  /// compressed or other binary data, or JSON and YAML with neither `bpf_object` nor `bpf_skel`.
  ///
  /// ```swift
  /// PackageFormat.of(try readFile("x"), name: "x")  // .elf
  /// ```
  public static func of(_ bytes: [UInt8], name: String) -> PackageFormat? {
    if bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46]) { return .elf }
    if TarReader.isTar(bytes) { return .tar }
    switch name.split(separator: ".").last?.lowercased() {
    case "lua": return .lua
    case "c": return .c
    case "json": return document(bytes, .json)
    case "yaml", "yml": return document(bytes, .yaml)
    default: return text(bytes)
    }
  }

  private static func text(_ bytes: [UInt8]) -> PackageFormat? {
    // Compiled Lua begins with an escape character; it is not run.
    guard !bytes.contains(0), bytes.first != 0x1b, String(validating: bytes, as: UTF8.self) != nil else { return nil }
    let first = bytes.first { $0 > 0x20 }
    if first == UInt8(ascii: "{") { return document(bytes, .json) }
    return document(bytes, .yaml) ?? .lua
  }

  /// Whether a document is a package or a skeleton, by the member that only the one has.
  private static func document(_ bytes: [UInt8], _ format: DataFormat) -> PackageFormat? {
    if hasMember("bpf_object", bytes, format) { return .package(format) }
    return hasMember("bpf_skel", bytes, format) ? .skeleton(format) : nil
  }

  /// Whether a name stands in quotes before a colon, or in YAML also without quotes where a line begins.
  private static func hasMember(_ name: String, _ bytes: [UInt8], _ format: DataFormat) -> Bool {
    let word = Array(name.utf8)
    var start = 0
    while let place = firstIndex(of: word, in: bytes, from: start) {
      start = place + word.count
      let before = place > 0 ? bytes[place - 1] : 0x0a
      let isQuoted = before == UInt8(ascii: "\"") || before == UInt8(ascii: "'")
      let rest = bytes[start...].dropFirst(isQuoted ? 1 : 0).drop { $0 <= 0x20 }
      guard rest.first == UInt8(ascii: ":") else { continue }
      if isQuoted || format == .yaml && before == 0x0a { return true }
    }
    return false
  }

  private static func firstIndex(of word: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
    var place = start
    while let next = bytes[place...].firstIndex(of: word[0]) {
      if bytes[next...].starts(with: word) { return next }
      place = next + 1
    }
    return nil
  }
}
