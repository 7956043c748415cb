import FileTestSupport
import Glibc
import HTTPTestSupport
import KernelTestSupport
import Packages
import Support
import Synchronization
import Testing

/// Targets that come over the network: who may run them, and what is kept of them.
@Suite
struct RemoteTargetTests {
  /// A home of a user's own, and the files of a web server.
  private final class Site: Sendable {
    let home: TemporaryDirectory
    let files = Mutex<[String: HTTPTestServer.Answer]>([:])

    init(_ files: [String: HTTPTestServer.Answer] = [:]) throws {
      home = try TemporaryDirectory()
      self.files.withLock { $0 = files }
    }

    func serve() throws -> HTTPTestServer {
      try HTTPTestServer { [self] request in
        let answer = files.withLock { $0[request.path] } ?? HTTPTestServer.Answer(404)
        let tag = answer.headers.first { $0.name == "ETag" }?.value
        return tag != nil && tag == request.headers["if-none-match"] ? HTTPTestServer.Answer(304) : answer
      }
    }

    var environment: [String] {
      ["XDG_CACHE_HOME=\(home.name)", "XDG_CONFIG_HOME=\(home.name)", "no_proxy=*"]
    }

    func run(_ arguments: [String], _ more: [String] = []) throws -> MoontraceProcess.Finished {
      try MoontraceProcess(arguments, environment: environment + more).wait()
    }
  }

  private static let script = "recipe { name = 'hello', summary = 'Says hello.' }\nprint('hello', ...)"
  private static let tagged = HTTPTestServer.Answer.text(script, headers: [("ETag", "\"1\"")])
  private static let digest = Digest(of: Array(script.utf8))

  // MARK: Consent

  @Test func nobodyIsAskedWithoutATerminal() throws {
    let site = try Site(["/hello.lua": Self.tagged])
    let server = try site.serve()
    let run = try site.run([server.address("/hello.lua")])
    #expect(run.status == 3 && run.output == "")
    #expect(
      run.errors == """
        hello.lua
          does    Says hello.
          from    \(server.address("/hello.lua"))
          digest  \(Self.digest)
        moontrace: \(server.address("/hello.lua")): it came over the network, and nobody here has agreed to run it \
        (look at it with 'moontrace inspect', then say --trust \(Self.digest))

        """)
    #expect(server.requests.count == 1)
    #expect(server.requests[0].headers["user-agent"]?.hasPrefix("moontrace/") == true)
  }

  @Test(.requires(.root, .clang))
  func whatAProgramWouldDoIsShown() throws {
    let bench = try CProgramBench("RING(events); ON_CALL { if (is_ours()) bpf_send_signal(9); return 0; }")
    let site = try Site(["/x.bpf.o": HTTPTestServer.Answer(200, try readFile(bench.object))])
    let server = try site.serve()
    let run = try site.run([server.address("/x.bpf.o")])
    #expect(run.status == 3)
    for part in ["attaches to  raw_tp/sys_enter\n", "send_signal", "changes", "digest"] {
      #expect(run.errors.contains(part), "\(run.errors)")
    }
  }

  @Test func theDigestOnTheCommandLineIsConsent() throws {
    let site = try Site(["/hello.lua": Self.tagged])
    let server = try site.serve()
    let run = try site.run(["run", "--trust", "\(Self.digest)", server.address("/hello.lua"), "you"])
    #expect(run.status == 0 && run.output == "hello\tyou\n" && run.errors == "", "\(run.errors)")
    // That was for this run.
    #expect(try site.run([server.address("/hello.lua")]).status == 3)
    let other = try site.run(["run", "--trust", "\(Digest(of: []))", server.address("/hello.lua")])
    #expect(other.status == 3 && other.output == "")
    let wrong = try site.run(["run", "--trust", "yes", server.address("/hello.lua")])
    #expect(wrong.status == 2)
    #expect(wrong.errors == "moontrace: --trust: expected sha256: and 64 hex digits, got 'yes'\n")
  }

  @Test(.requires(.tmux))
  func consentIsRememberedByDigest() throws {
    let site = try Site(["/hello.lua": Self.tagged])
    let server = try site.serve()
    let command = "\(MoontraceProcess.executable) \(server.address("/hello.lua")) there"
    // Each answer in a window of its own, where only one question stands.
    for (answer, result) in [("n", "hello.lua: not run"), ("y", "hello   there")] {
      let terminal = try TerminalSession(columns: 160, environment: site.environment)
      try terminal.start(command)
      try terminal.waitFor("Run it, now and whenever it is the same? [y/N]")
      try terminal.start(answer)
      try terminal.waitFor(result)
    }
    let again = try site.run([server.address("/hello.lua")])
    #expect(again.status == 0 && again.output == "hello\n" && again.errors == "", "\(again.errors)")
    // What has changed is something else.
    site.files.withLock { $0["/hello.lua"] = .text(Self.script + " ") }
    #expect(try site.run([server.address("/hello.lua")]).status == 3)
    // The same from elsewhere is the same.
    site.files.withLock { $0["/again.lua"] = Self.tagged }
    #expect(try site.run([server.address("/again.lua")]).output == "hello\n")
  }

  @Test func theListOfWhatIsTrustedMustBeSound() throws {
    let site = try Site(["/hello.lua": Self.tagged])
    let server = try site.serve()
    let list = site.home.path("moontrace/trusted")
    try makeDirectories(site.home.path("moontrace"))
    try writeFile(list, Array("# mine\n\n\(Self.digest) somewhere\n".utf8))
    #expect(try site.run([server.address("/hello.lua")]).output == "hello\n")
    try writeFile(list, Array("\(Self.digest)\nsha256:xyz\n".utf8))
    let damaged = try site.run([server.address("/hello.lua")])
    #expect(damaged.status == 1 && damaged.output == "")
    #expect(damaged.errors.contains("\(list):2: a line begins with sha256: and 64 hex digits, not 'sha256:xyz'"))
    try writeFile(list, Array("\(Self.digest)\n".utf8))
    chmod(list, 0o666)
    let open = try site.run([server.address("/hello.lua")])
    #expect(open.status == 3 && open.errors.contains("can be written by others than you"), "\(open.errors)")
  }

  @Test func scriptsGetNothingBeforeConsent() throws {
    let site = try Site()
    let secret = try site.home.write("secret", "seen")
    site.files.withLock { $0["/x.lua"] = .text("io.stderr:write(io.open('\(secret)'):read('a'))") }
    let server = try site.serve()
    let run = try site.run(["run", "--allow", "fs.read", server.address("/x.lua")])
    #expect(run.status == 3 && !run.errors.contains("seen"), "\(run.errors)")
  }

  // MARK: The copy that is kept

  @Test func itIsAskedForByItsVersionAndRunsOffline() throws {
    let site = try Site(["/hello.lua": Self.tagged])
    var server: HTTPTestServer? = try site.serve()
    let address = try #require(server).address("/hello.lua")
    let arguments = ["run", "--trust", "\(Self.digest)", address]
    #expect(try site.run(arguments).status == 0)
    #expect(try site.run(arguments).output == "hello\n")
    #expect(server?.requests.map { $0.headers["if-none-match"] } == [nil, "\"1\""])
    server = nil
    let offline = try site.run(arguments)
    #expect(offline.status == 0 && offline.output == "hello\n")
    #expect(
      offline.errors.hasPrefix("moontrace: note: \(address): Failed to connect to 127.0.0.1"), "\(offline.errors)")
    #expect(offline.errors.hasSuffix("; this is the copy of an earlier run\n"))
    #expect(try site.run(["run", "-q", "--trust", "\(Self.digest)", address]).errors == "")
  }

  @Test func aDamagedCopyIsFetchedAgain() throws {
    let site = try Site(["/hello.lua": Self.tagged])
    let server = try site.serve()
    let arguments = ["run", "--trust", "\(Self.digest)", server.address("/hello.lua")]
    #expect(try site.run(arguments).status == 0)
    let remote = site.home.path("moontrace/remote")
    let names = directoryEntries(remote)
    let directory = try #require(names.first { !$0.hasSuffix(".json") })
    try writeFile("\(remote)/\(directory)/hello.lua", Array("print('bad')".utf8))
    #expect(try site.run(arguments).output == "hello\n")
    try writeFile("\(remote)/\(try #require(names.first { $0.hasSuffix(".json") }))", [0x7b])
    #expect(try site.run(arguments).output == "hello\n")
    #expect(server.requests.map { $0.headers["if-none-match"] } == [nil, nil, nil])
  }

  /// What was agreed to stays where it is read from, though another run fetches a new version meanwhile.
  @Test func versionsDoNotOverwriteEachOther() throws {
    let site = try Site(["/hello.lua": Self.tagged])
    let server = try site.serve()
    #expect(try site.run([server.address("/hello.lua")]).status == 3)
    site.files.withLock { $0["/hello.lua"] = .text("print('another')") }
    #expect(try site.run([server.address("/hello.lua")]).status == 3)
    let remote = site.home.path("moontrace/remote")
    let copies = try directoryEntries(remote, directories: true).map { try readFile("\(remote)/\($0)/hello.lua") }
    #expect(Set(copies) == [Array(Self.script.utf8), Array("print('another')".utf8)])
  }

  @Test func aPinIsWhatMayRunAndNeedsNoServer() throws {
    let site = try Site(["/hello.lua": Self.tagged])
    let server = try site.serve()
    let address = server.address("/hello.lua")
    let wrong = try site.run(["\(address)#sha256=\(Digest(of: []).hex)"])
    #expect(wrong.status == 3)
    #expect(wrong.errors.contains("\(address): its content is \(Self.digest), not the pinned \(Digest(of: []))"))
    let pinned = ["run", "--trust", "\(Self.digest)", "\(address)#sha256=\(Self.digest.hex)"]
    #expect(try site.run(pinned).output == "hello\n")
    let count = server.requests.count
    #expect(try site.run(pinned).output == "hello\n")
    #expect(server.requests.count == count)
  }

  // MARK: All kinds of targets

  @Test(.requires(.root, .clang))
  func packagesObjectsAndSkeletons() throws {
    let bench = try CProgramBench(
      """
      struct event { __u32 number; };
      struct event *kept;
      RING_OF(events, struct event);
      ON_CALL {
        ONLY_OURS;
        __u32 record = 7;
        bpf_ringbuf_output(&events, &record, sizeof record, 0);
        return 0;
      }
      """)
    let package = try bench.package("\"data_sections\": []")
    let files: [(String, [[UInt8]])] = [
      ("package.json", [package.bytes(.json)]), ("package.yaml", [package.bytes(.yaml)]),
      ("x.tar", [try TarPackage(package: package).bytes()]), ("plain.bpf.o", [package.object]),
      ("test.skel.json", [package.meta.bytes(.json), package.object]),
    ]
    let site = try Site()
    site.files.withLock {
      for (name, parts) in files { $0["/\(name)"] = HTTPTestServer.Answer(200, parts[0]) }
      $0["/test.bpf.o"] = HTTPTestServer.Answer(200, package.object)
    }
    let server = try site.serve()
    for (name, parts) in files {
      let trust = parts.flatMap { ["--trust", "\(Digest(of: $0))"] }
      let workload = try Workload()
      let options = ["-f", "json", "-d", "60", "-c", "exec \(workload.path) getppid 1 >/dev/null"]
      let run = try site.run(
        ["run"] + trust + options + [server.address("/\(name)"), "--workload", workload.name])
      #expect(run.output == "{\"number\":7}\n" && run.errors == "", "\(name): \(run.errors)")
    }
    // Half of a skeleton is not enough.
    let half = try site.run([
      "run", "--trust", "\(Digest(of: package.meta.bytes(.json)))", server.address("/test.skel.json"),
    ])
    #expect(
      half.status == 3 && half.errors.contains("then say --trust \(Digest(of: package.object)))"), "\(half.errors)")
  }

  @Test(.requires(.clang))
  func inspectAndCheckTakeAddressesToo() throws {
    let site = try Site(["/hello.lua": Self.tagged, "/bad.lua": .text("x = = 1")])
    let server = try site.serve()
    let inspected = try site.run(["inspect", server.address("/hello.lua")])
    #expect(inspected.status == 0 && inspected.output.contains("\(Self.digest)"), "\(inspected.errors)")
    let checked = try site.run(["check", server.address("/bad.lua")])
    #expect(checked.status == 1 && checked.errors.contains("bad.lua:1: "), "\(checked.errors)")
  }

  // MARK: TLS

  @Test func certificatesAreChecked() throws {
    let site = try Site()
    _ = try site.home.write("hello.lua", Self.script)
    let server = try TLSFileServer(site.home)
    let address = "https://127.0.0.1:\(server.port)/hello.lua"
    let arguments = ["run", "--trust", "\(Self.digest)", address]
    let stranger = try site.run(arguments)
    #expect(stranger.status == 1 && stranger.output == "")
    #expect(stranger.errors.contains("\(address): ") && stranger.errors.contains("certificate"), "\(stranger.errors)")
    let known = try site.run(arguments, ["CURL_CA_BUNDLE=\(server.certificate)"])
    #expect(known.output == "hello\n", "\(known.errors)")
  }

  // MARK: What goes wrong on the way

  @Test func redirections() throws {
    let site = try Site(["/hello.lua": Self.tagged])
    let server = try site.serve()
    func redirect(_ path: String, _ location: String) {
      site.files.withLock { $0[path] = HTTPTestServer.Answer(302, headers: [("Location", location)]) }
    }
    redirect("/old.lua", "new.lua")
    redirect("/new.lua", "/hello.lua")
    redirect("/circle.lua", "/circle.lua")
    redirect("/away.lua", "http://192.0.2.1/x.lua")
    redirect("/nowhere.lua", "gopher://x/")
    let run = try site.run(["run", "--trust", "\(Self.digest)", server.address("/old.lua")])
    #expect(run.output == "hello\n", "\(run.errors)")
    let circle = try site.run([server.address("/circle.lua")])
    #expect(circle.status == 1 && circle.errors.contains("more than 8 redirections"))
    let away = try site.run([server.address("/away.lua")])
    #expect(away.status == 2)
    #expect(
      away.errors == """
        moontrace: http://192.0.2.1/x.lua, where \(server.address("/away.lua")) redirects to: http:// lets everyone on \
        the way change what you would run (use https://, or say --insecure)

        """)
    let nowhere = try site.run([server.address("/nowhere.lua")])
    #expect(nowhere.status == 1 && nowhere.errors.contains("redirects to what is no address"), "\(nowhere.errors)")
  }

  @Test func filesThatDoNotCome() throws {
    let site = try Site([
      "/cut.lua": HTTPTestServer.Answer(200, Array("print(".utf8), missing: 100),
      "/huge.lua": HTTPTestServer.Answer(200, [], missing: 1 << 40),
      "/broken.lua": HTTPTestServer.Answer(503), "/secret.lua": HTTPTestServer.Answer(403),
      "/binary.lua": HTTPTestServer.Answer(200, [0x1b, 0x4c, 0x75, 0x61]),
      "/unchanged.lua": HTTPTestServer.Answer(304), "/empty.json": HTTPTestServer.Answer(200, []),
    ])
    let server = try site.serve()
    let cases: [(path: String, status: Int32, text: String)] = [
      ("/cut.lua", 1, "transfer closed with 100 bytes remaining to read"),
      ("/huge.lua", 1, "the file is larger than 128 MiB"),
      ("/broken.lua", 1, "the server answers 503 Said"),
      ("/secret.lua", 1, "the server answers 403 Said"),
      ("/absent.lua", 2, "there is no such file (404)"),
      ("/unchanged.lua", 1, "the server sent no file"),
    ]
    for (path, status, text) in cases {
      let run = try site.run([server.address(path)])
      #expect(run.status == status, "\(path)")
      #expect(run.errors == "moontrace: \(server.address(path)): \(text)\n")
    }
    let empty = try site.run([server.address("/empty.json")])
    #expect(empty.status == 1 && empty.errors.hasPrefix("moontrace: "), "\(empty.errors)")
    let binary = try site.run([server.address("/binary.lua")])
    #expect(binary.status != 0 && binary.output == "", "\(binary.errors)")
  }

  @Test func addressesThatAreNone() throws {
    let site = try Site()
    for address in ["https://", "http://h:x/", "https://a@h/x.lua", "https://h/x#y", "http://192.0.2.1/x.lua"] {
      let run = try site.run([address])
      #expect(run.status == 2 && run.errors.hasPrefix("moontrace: \(address): "), "\(run.errors)")
    }
    let unknown = try site.run(["https://no-such-host.invalid/x.lua"])
    #expect(unknown.status == 1)
    #expect(
      unknown.errors == "moontrace: https://no-such-host.invalid/x.lua: Could not resolve host: no-such-host.invalid\n")
    let noCurl = try site.run(["https://127.0.0.1/x.lua"], ["PATH=/nowhere"])
    #expect(noCurl.status == 4 && noCurl.errors.contains("(apt install curl, or fetch"), "\(noCurl.errors)")
  }
}
