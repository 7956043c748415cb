import Glibc
import Support
import Synchronization

/// A web server on loopback, for one test: one request a connection, one connection at a time. It ends with the value.
public final class HTTPTestServer: Sendable {
  /// What it was asked.
  public struct Request: Sendable {
    public var path: String
    /// By lower-case names.
    public var headers: [String: String]
  }

  /// What it answers.
  public struct Answer: Sendable {
    public var status: Int
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]
    /// Bytes that are promised and never sent: the connection closes instead.
    public var missing: Int

    public init(_ status: Int, _ body: [UInt8] = [], headers: [(String, String)] = [], missing: Int = 0) {
      (self.status, self.body, self.missing) = (status, body, missing)
      self.headers = headers.map { (name: $0.0, value: $0.1) }
    }

    /// A text file.
    public static func text(_ text: String, headers: [(String, String)] = []) -> Answer {
      Answer(200, Array(text.utf8), headers: headers)
    }

    fileprivate var bytes: [UInt8] {
      let length = status == 304 ? [] : [(name: "Content-Length", value: "\(body.count + missing)")]
      let fields = (headers + length).map { "\($0.name): \($0.value)\r\n" }.joined()
      return Array("HTTP/1.1 \(status) Said\r\nConnection: close\r\n\(fields)\r\n".utf8) + body
    }
  }

  /// Given by the kernel.
  public let port: UInt16
  private let listener: Listener
  private let thread: pthread_t

  /// Listens on 127.0.0.1.
  ///
  /// - Parameter answer: called on the server's own thread.
  public init(_ answer: @escaping @Sendable (Request) -> Answer) throws {
    listener = try Listener(answer)
    port = try listener.port()
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(listener).toOpaque()
    let status = pthread_create(
      &thread, nil,
      { argument in
        if let argument { Unmanaged<Listener>.fromOpaque(argument).takeRetainedValue().serve() }
        return nil
      }, argument)
    if status != 0 { throw SystemError("start the server's thread", errno: status) }
    self.thread = thread
  }

  deinit {
    listener.stop()
    pthread_join(thread, nil)
  }

  /// All that it has been asked, the oldest first.
  public var requests: [Request] { listener.requests.withLock { $0 } }

  /// `http://127.0.0.1:PORT` and the path.
  public func address(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }
}

/// The socket, and what is done for each connection.
private final class Listener: Sendable {
  let requests = Mutex<[HTTPTestServer.Request]>([])
  private let socket: OwnedDescriptor
  private let answer: @Sendable (HTTPTestServer.Request) -> HTTPTestServer.Answer

  init(_ answer: @escaping @Sendable (HTTPTestServer.Request) -> HTTPTestServer.Answer) throws {
    self.answer = answer
    let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    socket = OwnedDescriptor(try check("make a socket") { Glibc.socket(AF_INET, kind, 0) })
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    try withBytes(of: &address) { bytes, size in try check("bind") { bind(socket.number, bytes, size) } }
    try check("listen") { listen(socket.number, 16) }
  }

  func port() throws -> UInt16 {
    var address = sockaddr_in()
    try withBytes(of: &address) { bytes, size in
      var size = size
      try check("getsockname") { getsockname(socket.number, bytes, &size) }
    }
    return UInt16(bigEndian: address.sin_port)
  }

  /// Until `stop`.
  func serve() {
    while true {
      let connection = accept(socket.number, nil, nil)
      if connection < 0 { return }
      converse(OwnedDescriptor(connection))
    }
  }

  func stop() { shutdown(socket.number, Int32(SHUT_RDWR)) }

  private func converse(_ connection: consuming OwnedDescriptor) {
    var head: [UInt8] = []
    while !head.suffix(4).elementsEqual("\r\n\r\n".utf8) {
      var byte: UInt8 = 0
      guard read(connection.number, &byte, 1) == 1 else { return }
      head.append(byte)
    }
    let lines = String(decoding: head, as: UTF8.self).split(whereSeparator: \.isNewline)
    let path = lines[0].split(separator: " ")[1]
    let fields = lines.dropFirst().compactMap { line in
      line.firstRange(of: ": ").map { (line[..<$0.lowerBound].lowercased(), String(line[$0.upperBound...])) }
    }
    let request = HTTPTestServer.Request(path: String(path), headers: Dictionary(fields) { first, _ in first })
    requests.withLock { $0.append(request) }
    let bytes = answer(request).bytes
    // One who goes away early is no failure of the server's.
    _ = bytes.withUnsafeBytes { send(connection.number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    // The end, also where a child that another test has started meanwhile holds the connection open.
    shutdown(connection.number, Int32(SHUT_RDWR))
  }
}

private func withBytes(
  of address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>, socklen_t) throws -> Void
) rethrows {
  try withUnsafeMutablePointer(to: &address) { pointer in
    try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      try body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
    }
  }
}
