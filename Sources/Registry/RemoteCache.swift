import Glibc
import Packages
import Support

/// What has come over the network, by its address: the file under its own name, and what the server said of it.
///
/// ```
/// ~/.cache/moontrace/remote/5891b5b522d5df086d0ff0b110fbd9d2/opensnoop.lua
///                                                            .opensnoop.lua.json
/// ```
struct RemoteCache {
  /// A file that is here.
  struct Entry {
    var bytes: [UInt8]
    var digest: Digest
    var validators: Downloader.Validators
  }

  private let cache: Cache

  init() throws(MoontraceError) {
    cache = try Cache()
  }

  func path(_ address: RemoteAddress) -> String { cache.path("\(directory(address))/\(address.fileName)") }

  /// nil when it is not here, or not whole: its digest is compared.
  func entry(_ address: RemoteAddress) -> Entry? {
    let record = record(address)
    guard let text = try? readFile(cache.path(record)), let bytes = try? readFile(path(address)),
      case .object(let members) = try? JSONValue(json: text, name: record)
    else { return nil }
    func field(_ name: String) -> String? {
      guard case .string(let text) = members.first(where: { $0.name == name })?.value else { return nil }
      return text
    }
    let digest = Digest(of: bytes)
    guard field("address") == "\(address)", field("digest") == "\(digest)" else { return nil }
    let validators = Downloader.Validators(entityTag: field("etag"), lastModified: field("last_modified"))
    return Entry(bytes: bytes, digest: digest, validators: validators)
  }

  func store(_ address: RemoteAddress, _ entry: Entry) throws(MoontraceError) {
    try cache.makeDirectory(directory(address))
    try cache.write("\(directory(address))/\(address.fileName)", entry.bytes)
    var about = [JSONMember("address", .string("\(address)")), JSONMember("digest", .string("\(entry.digest)"))]
    if let tag = entry.validators.entityTag { about.append(JSONMember("etag", .string(tag))) }
    if let date = entry.validators.lastModified { about.append(JSONMember("last_modified", .string(date))) }
    try cache.write(record(address), JSONValue.object(about).json(isPretty: true))
  }

  /// No file's name here begins with a dot.
  private func record(_ address: RemoteAddress) -> String { "\(directory(address))/.\(address.fileName).json" }

  /// What stands beside each other at the server stands beside each other here: the object of a skeleton.
  private func directory(_ address: RemoteAddress) -> String {
    let whole = "\(address)"
    let place = whole.prefix { $0 != "?" }.lastIndex(of: "/").map { whole[...$0] } ?? ""
    let query = whole.drop { $0 != "?" }
    return "remote/\(Digest(of: Array("\(place)\(query)".utf8)).hex.prefix(32))"
  }
}
