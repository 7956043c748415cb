import BTF
import Glibc
import KernelLoader
import Support

/// An entry that the command line puts into a map before the program runs: `--put pids=812`, `--put limits=eth0:100`.
struct MapEntryText {
  private let map: BPFMap
  private let key: [UInt8]
  private let value: [UInt8]
  private let place: String

  /// Reads `MAP=KEY[:VALUE]`; without a value it is 1.
  ///
  /// - Throws: `.usage`, saying what was expected.
  init(_ text: String, _ object: BPFObject) throws(MoontraceError) {
    let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
    guard parts.count == 2 else {
      throw MoontraceError(.usage, "--put: expected MAP=KEY or MAP=KEY:VALUE, got '\(text)'")
    }
    guard let map = object.map(parts[0]) else {
      let hint = suggestionHint(for: parts[0], in: object.maps.map(\.name))
      throw MoontraceError(.usage, "--put: \(object.name) has no map '\(parts[0])'\(hint)")
    }
    place = "--put: \(object.name): map '\(map.name)'"
    guard map.hasEntries, !map.isPerCPU, let keys = map.key.flatMap(GlobalText.init),
      let values = map.value.flatMap(GlobalText.init)
    else {
      throw MoontraceError(
        .usage, "\(place): its keys or values can't be typed", remedy: "fill it from a script, with bpf.object")
    }
    // A key that is text may hold colons: the last one counts.
    let words = parts[1].split(separator: ":", omittingEmptySubsequences: false)
    let hasValue = words.count > 1
    let name = hasValue ? words.dropLast().joined(separator: ":") : parts[1]
    (self.map, key) = (map, try Self.bytes(name, keys, "\(place): its key"))
    value = try Self.bytes(hasValue ? String(words[words.count - 1]) : "1", values, "\(place): its value")
  }

  private static func bytes(_ text: String, _ type: GlobalText, _ place: String) throws(MoontraceError) -> [UInt8] {
    do throws(MoontraceError) {
      return try type.bytes(of: text)
    } catch {
      throw MoontraceError(.usage, "\(place): \(error.message)")
    }
  }

  /// Puts it into the loaded map.
  func put() throws(MoontraceError) {
    let status = MapOperations.update(map.descriptor, key, value)
    if status == -E2BIG {
      throw MoontraceError(.usage, "\(place): it has room for \(map.maxEntries) entries, and not for this one")
    }
    guard status == 0 else { throw MoontraceError(.scriptFailed, "\(place): \(errnoText(-status))") }
  }
}
