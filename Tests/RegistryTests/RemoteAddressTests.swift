import Packages
import Support
import Testing

@testable import Registry

/// Addresses as they are written, and what is none.
struct RemoteAddressTests {
  @Test(arguments: [
    ("https://example.org/a/opensnoop.lua", "example.org", nil, "/a/opensnoop.lua", "opensnoop.lua"),
    ("HTTP://127.0.0.1:8080/x.bpf.o?v=2", "127.0.0.1", 8080, "/x.bpf.o?v=2", "x.bpf.o"),
    ("https://[2001:db8::1]:4/p/package.json", "2001:db8::1", 4, "/p/package.json", "package.json"),
    ("https://example.org", "example.org", nil, "/", "target"),
    ("https://example.org?q=/a/b.lua", "example.org", nil, "/?q=/a/b.lua", "target"),
    ("https://h/..%2f..%2fetc/..", "h", nil, "/..%2f..%2fetc/..", "target"),
    ("https://h/a/.x;y$(z).lua", "h", nil, "/a/.x;y$(z).lua", "xyz.lua"),
  ])
  func parts(_ text: String, _ host: String, _ port: Int?, _ path: String, _ file: String) throws {
    let address = try RemoteAddress(text)
    #expect(RemoteAddress.isOne(text))
    #expect(address.host == host && address.port == port && address.path == path && address.fileName == file)
    #expect(address.pin == nil)
  }

  @Test func aPin() throws {
    let digest = Digest(of: Array("text".utf8))
    let address = try RemoteAddress("https://h/x.lua#sha256=\(digest.hex.uppercased())")
    #expect(address.pin == digest)
    #expect("\(address)" == "https://h/x.lua")
  }

  @Test(arguments: [
    ("https://", "the host is missing or no host"),
    ("https:///x.lua", "the host is missing or no host"),
    ("https://h:0/x", "the host is missing or no host"),
    ("https://h:99999/x", "the host is missing or no host"),
    ("https://h:/x", "the host is missing or no host"),
    ("https://[::1/x", "the host is missing or no host"),
    ("https://[::1]x/x", "the host is missing or no host"),
    ("https://h_ö/x", "an address is printable ASCII without blanks (write other characters as %XX)"),
    ("https://h/a b", "an address is printable ASCII without blanks (write other characters as %XX)"),
    ("https://h/a\r\nX: y", "an address is printable ASCII without blanks (write other characters as %XX)"),
    ("https://me:secret@h/x", "users and passwords don't belong into an address, where every process can read them"),
    ("https://h/x#sha256=12", "behind # only sha256= and 64 hex digits can stand"),
    ("https://h/x#top", "behind # only sha256= and 64 hex digits can stand"),
    ("ftp://h/x", "an address begins with https:// or http://"),
  ])
  func mistakes(_ text: String, _ message: String) {
    #expect(throws: MoontraceError.self) { try RemoteAddress(text) }
    do throws(MoontraceError) {
      _ = try RemoteAddress(text)
    } catch {
      #expect(error.code == .usage && "\(error)" == "\(text): \(message)")
    }
  }

  @Test(arguments: ["localhost", "LocalHost", "127.0.0.1", "127.255.3.4", "[::1]"])
  func loopback(_ host: String) throws {
    #expect(try RemoteAddress("http://\(host)/").isLoopback)
  }

  @Test(arguments: ["example.org", "127.0.0.1.example.org", "127.example.org", "128.0.0.1", "[::2]", "127.0.0.256"])
  func notLoopback(_ host: String) throws {
    #expect(try !RemoteAddress("http://\(host)/").isLoopback)
  }

  @Test(arguments: [
    ("https://other/y", "https://other/y"), ("//other/y#part", "https://other/y"), ("/y?z", "https://h:8/y?z"),
    ("y", "https://h:8/a/y"), ("http://other/", "http://other/"),
  ])
  func redirections(_ location: String, _ target: String) throws {
    let address = try RemoteAddress("https://h:8/a/x?q=/b/c")
    #expect("\(try address.following(location))" == target)
  }

  @Test func theObjectOfASkeleton() throws {
    func object(_ path: String) throws -> String? {
      try RemoteAddress("https://h/a/\(path)").objectBeside.map { "\($0)" }
    }
    #expect(try object("x.skel.json") == "https://h/a/x.bpf.o")
    #expect(try object("x.skel.yaml") == "https://h/a/x.bpf.o")
    #expect(try object("package.json") == nil)
  }

  @Test func digestsAsText() {
    let digest = Digest(of: [])
    #expect(Digest("\(digest)") == digest)
    #expect(Digest("sha256:\(digest.hex.dropLast())") == nil)
    #expect(Digest("sha256:\(digest.hex.dropLast())g") == nil)
    #expect(Digest("sha256:\(digest.hex.dropLast())ö") == nil)
    #expect(Digest("md5:\(digest.hex)") == nil)
  }
}
