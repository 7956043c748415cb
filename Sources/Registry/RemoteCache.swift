import Packages
import Support

/// What has come over the network: files under their own names in directories called after their contents, and for each
/// address which of them it gave.
///
/// ```
/// ~/.cache/moontrace/remote/5891b5b522d5df086d0ff0b110fbd9d2/opensnoop.lua
/// ~/.cache/moontrace/remote/e258d248fda94c63753607f7c4494ee0.json
/// ```
/// What a path holds never changes, so a run reads what was agreed to also when another one fetches a new version.
struct RemoteCache {
  /// What an address gave.
  struct Entry {
    var address: RemoteAddress
    var bytes: [UInt8]
    var digest: Digest
    var validators: Downloader.Validators
  }

  private let cache: Cache

  init() throws(MoontraceError) {
    cache = try Cache()
  }

  /// nil when it is not here, or not whole: its digest is compared.
  func entry(_ address: RemoteAddress) -> Entry? {
    let record = record(of: address)
    guard let text = try? readFile(cache.path(record)),
      case .object(let members) = try? JSONValue(json: text, name: record)
    else { return nil }
    func field(_ name: String) -> String? {
      guard case .string(let text) = members.first(where: { $0.name == name })?.value else { return nil }
      return text
    }
    guard field("address") == "\(address)", let digest = field("digest").flatMap({ Digest($0) }),
      let directory = field("directory").flatMap({ Digest($0) }),
      let bytes = try? readFile(path(of: address, in: directory)), Digest(of: bytes) == digest
    else { return nil }
    let validators = Downloader.Validators(entityTag: field("etag"), lastModified: field("last_modified"))
    return Entry(address: address, bytes: bytes, digest: digest, validators: validators)
  }

  /// Keeps files that belong together beside each other; their paths.
  func store(_ entries: [Entry]) throws(MoontraceError) -> [String] {
    let directory = Digest(of: entries.flatMap(\.digest.bytes))
    try cache.makeDirectory(name(of: directory))
    var paths: [String] = []
    for entry in entries {
      try cache.write("\(name(of: directory))/\(entry.address.fileName)", entry.bytes)
      try cache.write(record(of: entry.address), text(entry, directory))
      paths.append(path(of: entry.address, in: directory))
    }
    return paths
  }

  private func text(_ entry: Entry, _ directory: Digest) -> [UInt8] {
    let fields = [
      ("address", "\(entry.address)"), ("digest", "\(entry.digest)"), ("directory", "\(directory)"),
      ("etag", entry.validators.entityTag), ("last_modified", entry.validators.lastModified),
    ]
    let members = fields.compactMap { name, value in value.map { JSONMember(name, .string($0)) } }
    return JSONValue.object(members).json(isPretty: true)
  }

  // MARK: Places

  private func record(of address: RemoteAddress) -> String { "\(name(of: Digest(of: Array("\(address)".utf8)))).json" }

  private func path(of address: RemoteAddress, in directory: Digest) -> String {
    cache.path("\(name(of: directory))/\(address.fileName)")
  }

  private func name(of digest: Digest) -> String { "remote/\(digest.hex.prefix(32))" }
}
