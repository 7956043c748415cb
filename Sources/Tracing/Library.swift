import CLuaLibrary

/// The files inside the executable: the Lua library, the built-in recipes, templates, completions, and libbpf's C headers.
public enum Library {
  /// The bytes of a file by its path below `lua-lib/`, such as `moontrace/hist.lua`; nil when there is none.
  static func file(_ path: String) -> [UInt8]? {
    files.first { String(cString: $0.path) == path }.map(contents)
  }

  /// The same as text; empty when there is none.
  public static func text(_ path: String) -> String {
    String(decoding: file(path) ?? [], as: UTF8.self)
  }

  /// What `require "moontrace.NAME"` loads.
  static func module(_ name: String) -> (text: String, chunkName: String)? {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    // What meta.lua declares is for editors; run, it would take the place of what it declares.
    guard parts.count == 2, parts[0] == "moontrace", parts[1] != "meta", let bytes = file("moontrace/\(parts[1]).lua")
    else { return nil }
    return (String(decoding: bytes, as: UTF8.self), "=[moontrace \(parts[1])]")
  }

  /// The paths and contents of all files below a directory such as `recipes/`.
  public static func files(below directory: String) -> [(path: String, bytes: [UInt8])] {
    files.map { (String(cString: $0.path), $0) }
      .filter { $0.0.hasPrefix(directory) }
      .map { ($0.0, contents($0.1)) }
  }

  private static var files: UnsafeBufferPointer<mt_library_file> {
    UnsafeBufferPointer(start: mt_library_files, count: mt_library_file_count)
  }

  private static func contents(_ file: mt_library_file) -> [UInt8] {
    Array(UnsafeBufferPointer(start: file.bytes, count: file.size))
  }
}
