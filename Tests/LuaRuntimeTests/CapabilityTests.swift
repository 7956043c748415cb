import FileTestSupport
import Glibc
import LuaRuntime
import Support
import Testing

@Suite struct CapabilityTests {
  private func permits(_ texts: [String], _ request: CapabilityRequest) throws -> Bool {
    try Capabilities(allowing: texts).permits(request)
  }

  @Test func nothingIsAllowedAtFirst() {
    let requests: [CapabilityRequest] = [
      .readFile("/etc/passwd"), .writeFile("/tmp/x"), .connect("localhost"), .execute("id"), .changeKernel("signal"),
    ]
    for request in requests {
      #expect(!Capabilities.none.permits(request))
      #expect(Capabilities.none.refusal(of: request)?.code == .notPermitted)
    }
  }

  @Test func eachCapabilityCoversItsRequestsOnly() throws {
    let grants: [(String, CapabilityRequest)] = [
      ("fs.read", .readFile("/etc/passwd")), ("fs.write", .writeFile("/tmp/x")), ("net", .connect("example.org")),
      ("exec", .execute("id")), ("kernel.write", .changeKernel("signal")),
    ]
    for (name, _) in grants {
      for (other, request) in grants {
        #expect(try permits([name], request) == (name == other), "\(name) and \(request)")
      }
    }
  }

  @Test func scopesCoverWhatIsBelowThem() throws {
    let directory = try TemporaryDirectory()
    let a = directory.path("a")
    for path in [a, a + "b", a + "/in"] { mkdir(path, 0o755) }
    let scope = ["fs.read=\(a)/"]
    #expect(try permits(scope, .readFile(a)))
    #expect(try permits(scope, .readFile(a + "/in")))
    #expect(try permits(scope, .readFile(a + "/new")))
    #expect(try permits(scope, .readFile(a + "/in/../in/./x")))
    #expect(try !permits(scope, .readFile(a + "b")))
    #expect(try !permits(scope, .readFile(a + "/../ab/x")))
    #expect(try !permits(scope, .readFile(a + "/none/x")))
    #expect(try !permits(scope, .readFile(a + "/none/../../ab")))
    #expect(try !permits(scope, .writeFile(a + "/in")))
    #expect(try !permits(scope, .readFile("")))
    #expect(try permits(["fs.read=/"], .readFile("/etc/passwd")))
    #expect(try permits(["fs.read=/etc", "fs.read=\(a)"], .readFile(a)))
    #expect(try permits(["fs.read=/etc", "fs.read"], .readFile(a)))
    #expect(try permits(["fs.read=/etc/passwd"], .readFile("/etc/passwd")))
    #expect(try !permits(["fs.read=/etc/passwd"], .readFile("/etc/group")))
  }

  @Test func linksOutOfTheScopeAreRefused() throws {
    let directory = try TemporaryDirectory()
    let a = directory.path("a")
    mkdir(a, 0o755)
    symlink("/etc/passwd", a + "/out")
    symlink("/etc", a + "/dir")
    symlink(directory.path("later"), a + "/dangling")
    symlink(a, directory.path("link"))
    let scope = ["fs.write=\(a)", "fs.read=\(directory.path("link"))"]
    #expect(try !permits(scope, .writeFile(a + "/out")))
    #expect(try !permits(scope, .writeFile(a + "/dir/new")))
    #expect(try !permits(scope, .writeFile(a + "/dangling")))
    #expect(try permits(scope, .writeFile(a + "/plain")))
    #expect(try permits(scope, .readFile(a + "/x")))
    #expect(try permits(scope, .readFile(directory.path("link/x"))))
  }

  @Test func hostsAreComparedWhole() throws {
    #expect(try permits(["net=Example.org"], .connect("example.ORG")))
    #expect(try !permits(["net=example.org"], .connect("www.example.org")))
  }

  @Test func mistakesAreUsageErrors() {
    let expected = [
      "fs.raed":
        "--allow fs.raed: there is no capability 'fs.raed' (did you mean 'fs.read'?)"
        + " (there are fs.read, fs.write, net, exec, kernel.write)",
      "exec=id": "--allow exec=id: capability 'exec' takes no scope, got 'id'",
      "fs.read=": "--allow fs.read=: capability 'fs.read=' has an empty scope (write fs.read=PATH, or fs.read for all)",
      "fs.write=/no/such/place": "--allow fs.write=/no/such/place: no such directory (give a path that exists)",
    ]
    for (text, message) in expected {
      #expect(throws: MoontraceError.self) { try Capabilities(allowing: [text]) }
      do throws(MoontraceError) {
        _ = try Capabilities(allowing: [text])
      } catch {
        #expect(error.description == message)
        #expect(error.code == .usage)
      }
    }
  }
}
