import Glibc
import Packages
import Support

/// The contents that this user has agreed to run: one `sha256:HEX ADDRESS` a line in
/// `~/.config/moontrace/trusted`, which may be edited by hand.
public struct TrustedDigests: Sendable {
  private let path = "\(userConfiguration)/trusted"
  private let digests: Set<Digest>

  /// Reads the user's list; an absent one is empty.
  ///
  /// - Parameter given: digests that this run trusts besides, as `--trust` has them.
  /// - Throws: when others may write the list, it can't be read or a line has no digest; `.usage` for bad `given` ones.
  public init(given: [String] = []) throws(MoontraceError) {
    var digests: Set<Digest> = []
    for text in given {
      guard let digest = Digest(text) else {
        throw MoontraceError(.usage, "--trust: expected sha256: and 64 hex digits, got '\(text)'")
      }
      digests.insert(digest)
    }
    self.digests = digests.union(try Self.remembered(path))
  }

  private static func remembered(_ path: String) throws(MoontraceError) -> Set<Digest> {
    var about = stat()
    guard lstat(path, &about) == 0 else { return [] }
    guard about.st_uid == geteuid(), about.st_mode & 0o022 == 0 else {
      throw MoontraceError(
        .notPermitted, "\(path) can be written by others than you", remedy: "chown it to you and chmod it to 644")
    }
    let text: [UInt8]
    do throws(SystemError) {
      text = try readFile(path)
    } catch {
      throw MoontraceError(.notPermitted, "\(error)")
    }
    return try parse(text, path)
  }

  private static func parse(_ text: [UInt8], _ path: String) throws(MoontraceError) -> Set<Digest> {
    var digests: Set<Digest> = []
    let lines = String(decoding: text, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      guard let word = line.split(separator: " ").first, !word.hasPrefix("#") else { continue }
      guard let digest = Digest(word) else {
        throw MoontraceError(
          .scriptFailed, "a line begins with sha256: and 64 hex digits, not '\(word)'",
          remedy: "remove the line", location: "\(path):\(index + 1)")
      }
      digests.insert(digest)
    }
    return digests
  }

  public func contains(_ digest: Digest) -> Bool { digests.contains(digest) }

  /// Remembers contents beyond this run.
  public func add(_ files: [RemoteFile]) throws(MoontraceError) {
    let lines = files.map { "\($0.digest) \($0.address)\n" }.joined()
    do throws(SystemError) {
      try makeDirectories(userConfiguration, mode: 0o700)
      let list = OwnedDescriptor(
        try check("open \(path)") { open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644) })
      try writeAll(list.number, Array(lines.utf8), name: path)
    } catch {
      throw MoontraceError(.scriptFailed, "can't remember what you agree to: \(error)")
    }
  }
}
