import Packages
import Support

/// A file that came over the network, as it lies in the cache.
///
/// ```swift
/// let files = try RemoteFile.fetch(try RemoteAddress("https://example.org/opensnoop.lua"), agent: "moontrace/0.1.0")
/// print(files[0].path, files[0].digest)
/// ```
public struct RemoteFile: Sendable {
  public var address: RemoteAddress
  /// Where it lies on disk; what it holds never changes.
  public var path: String
  public var digest: Digest
  /// Why the server could not be asked whether this is still its version; nil when it was, or need not be.
  public var isOldBecause: String?

  /// Brings a file here, and with a skeleton (`x.skel.json`) the object that it describes (`x.bpf.o`), behind it.
  ///
  /// What is here already is asked for by its version, and taken as it is when the server can't be reached, or when
  /// the address pins its digest.
  ///
  /// - Parameters:
  ///   - allowsInsecure: `http://` also to other machines than this one.
  ///   - agent: what servers find in their logs.
  /// - Throws: `.usage` for files that don't exist, and for `http://` to another machine; `.notPermitted` when the
  ///   content is not what the address pins; `.scriptFailed` for what goes wrong on the way.
  public static func fetch(
    _ address: RemoteAddress, allowsInsecure: Bool = false, agent: String
  ) throws(MoontraceError) -> [RemoteFile] {
    let cache = try RemoteCache()
    let downloader = Downloader(allowsInsecure: allowsInsecure, curl: Curl(agent: agent))
    let found = try [address, address.objectBeside].compactMap(\.self).map { address throws(MoontraceError) in
      try find(address, cache, downloader)
    }
    let paths = try cache.store(found.map(\.entry))
    return zip(found, paths).map { found, path in
      RemoteFile(
        address: found.entry.address, path: path, digest: found.entry.digest, isOldBecause: found.isOldBecause)
    }
  }

  /// What the server has, or else what is here.
  private static func find(
    _ address: RemoteAddress, _ cache: RemoteCache, _ downloader: Downloader
  ) throws(MoontraceError) -> (entry: RemoteCache.Entry, isOldBecause: String?) {
    let known = cache.entry(address)
    if let known, known.digest == address.pin { return (known, nil) }
    do throws(Downloader.Failure) {
      let entry =
        switch try downloader.get(address, known: known?.validators ?? Downloader.Validators()) {
        case .unchanged: known
        case .file(let bytes, let validators):
          RemoteCache.Entry(address: address, bytes: bytes, digest: Digest(of: bytes), validators: validators)
        }
      guard let entry else { throw .refused(MoontraceError(.scriptFailed, "\(address): the server sent no file")) }
      try check(entry.digest, address)
      return (entry, nil)
    } catch {
      guard case .unreachable(let reason) = error, let known, address.pin == nil else { throw error.error }
      return (known, reason)
    }
  }

  private static func check(_ digest: Digest, _ address: RemoteAddress) throws(Downloader.Failure) {
    guard let pin = address.pin, pin != digest else { return }
    throw .refused(
      MoontraceError(
        .notPermitted, "\(address): its content is \(digest), not the pinned \(pin)",
        remedy: "it has changed, or somebody changed it on the way: look at it before you pin the new digest"))
  }
}
