import Packages
import Support

/// A TARGET that is an address: `https://HOST/PATH`, with `#sha256=HEX` behind it when only that content will do.
///
/// ```swift
/// let address = try RemoteAddress("https://example.org/opensnoop.lua#sha256=9f86…")
/// print(address.fileName, address.pin != nil)  // opensnoop.lua true
/// ```
public struct RemoteAddress: Sendable, CustomStringConvertible {
  enum Scheme: String, Sendable { case http, https }

  let scheme: Scheme
  /// Without the brackets of an IPv6 address.
  let host: String
  let port: Int?
  /// From the first slash on, with the query.
  let path: String
  /// The digest that the content must have.
  public let pin: Digest?

  /// Whether a TARGET is meant as an address.
  public static func isOne(_ target: String) -> Bool {
    target.prefix(8).lowercased().hasPrefix("http://") || target.prefix(8).lowercased() == "https://"
  }

  /// - Throws: a usage error for what is no address, and for one with a user and password in it.
  public init(_ text: String) throws(MoontraceError) {
    func failure(_ message: String, _ remedy: String? = nil) -> MoontraceError {
      MoontraceError(.usage, "\(text): \(message)", remedy: remedy)
    }
    guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
      throw failure("an address is printable ASCII without blanks", "write other characters as %XX")
    }
    guard let mark = text.firstRange(of: "://"), let scheme = Scheme(rawValue: text[..<mark.lowerBound].lowercased())
    else { throw failure("an address begins with https:// or http://") }
    self.scheme = scheme
    let parts = text[mark.upperBound...].split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
    pin = try parts.dropFirst().first.map { fragment throws(MoontraceError) in
      guard let pin = Digest(pin: fragment) else { throw failure("behind # only sha256= and 64 hex digits can stand") }
      return pin
    }
    let authority = parts[0].prefix { $0 != "/" && $0 != "?" }
    let rest = parts[0][authority.endIndex...]
    path = rest.hasPrefix("/") ? String(rest) : "/\(rest)"
    guard !authority.contains("@") else {
      throw failure("users and passwords don't belong into an address, where every process can read them")
    }
    guard let (host, port) = Self.split(authority) else { throw failure("the host is missing or no host") }
    (self.host, self.port) = (host, port)
  }

  private init(_ other: RemoteAddress, path: String) {
    (scheme, host, port, pin) = (other.scheme, other.host, other.port, nil)
    self.path = path
  }

  /// `HOST`, `HOST:PORT`, `[IPV6]`, `[IPV6]:PORT`.
  private static func split(_ authority: Substring) -> (host: String, port: Int?)? {
    var host = authority
    var port: Substring?
    if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
      host = authority[authority.index(after: authority.startIndex)..<end]
      let rest = authority[end...].dropFirst()
      guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
      port = rest.isEmpty ? nil : rest.dropFirst()
    } else if let colon = authority.firstIndex(of: ":") {
      host = authority[..<colon]
      port = authority[colon...].dropFirst()
    }
    let isHost = host.utf8.allSatisfy { $0.isLetterOrDigit || "-._:%".utf8.contains($0) }
    guard !host.isEmpty, isHost else { return nil }
    guard let port else { return (String(host), nil) }
    guard let number = Int(port), (1...65535).contains(number) else { return nil }
    return (String(host), number)
  }

  /// The address without its pin.
  public var description: String {
    let name = host.contains(":") ? "[\(host)]" : host
    return "\(scheme)://\(name)\(port.map { ":\($0)" } ?? "")\(path)"
  }

  /// Whether nothing leaves this machine on the way.
  var isLoopback: Bool {
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    let isIPv4 = parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    return isIPv4 || host == "::1" || host.lowercased() == "localhost"
  }

  /// What the file is called here: the path's last part, as far as its characters are harmless.
  public var fileName: String {
    let last = path.prefix { $0 != "?" }.split(separator: "/").last ?? ""
    let name = last.utf8.filter { $0.isLetterOrDigit || "-._+".utf8.contains($0) }
    let text = String(decoding: name, as: UTF8.self).drop { $0 == "." }
    return text.isEmpty ? "target" : String(text.suffix(100))
  }

  /// Where the object stands whose skeleton this is: `x.bpf.o` beside `x.skel.json`; nil when it is no skeleton.
  var objectBeside: RemoteAddress? {
    let path = path.prefix { $0 != "?" }
    let ends = [".skel.json", ".skel.yaml"]
    return ends.first { path.hasSuffix($0) }.map { RemoteAddress(self, path: "\(path.dropLast($0.count)).bpf.o") }
  }

  /// Where a redirection leads.
  ///
  /// - Parameter location: an address, `//HOST/PATH`, `/PATH` or a path beside this one.
  func following(_ location: String) throws(MoontraceError) -> RemoteAddress {
    let location = location.prefix { $0 != "#" }
    if location.contains("://") { return try RemoteAddress(String(location)) }
    if location.hasPrefix("//") { return try RemoteAddress("\(scheme):\(location)") }
    if location.hasPrefix("/") { return RemoteAddress(self, path: String(location)) }
    let directory = path.prefix { $0 != "?" }.lastIndex(of: "/").map { path[...$0] } ?? "/"
    return RemoteAddress(self, path: "\(directory)\(location)")
  }
}

extension Digest {
  /// What stands behind `#`: `sha256=HEX`.
  fileprivate init?(pin: Substring) {
    guard pin.hasPrefix("sha256=") else { return nil }
    self.init(hex: pin.dropFirst("sha256=".count))
  }
}

extension UInt8 {
  /// Of ASCII.
  fileprivate var isLetterOrDigit: Bool {
    switch self {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), 0x30...0x39: true
    default: false
    }
  }
}
