import Glibc
import Support
import Testing

/// openssl(1) serving a directory's files over TLS on loopback, with a certificate that only it knows.
final class TLSFileServer {
  /// Given by the kernel.
  let port: Int
  /// The path of its own certificate, in the directory.
  let certificate: String
  private let pid: pid_t
  private var said: Pipe

  init(_ directory: TemporaryDirectory) throws {
    certificate = directory.path("certificate.pem")
    let key = directory.path("key.pem")
    let names = "-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    let make = "exec openssl req -x509 -newkey rsa:2048 -nodes -days 2 \(names) -keyout \(key) -out \(certificate)"
    try #require(try Subprocess("/bin/sh", ["-c", "\(make) 2>/dev/null"]).wait() == 0)
    said = try Pipe()
    let serve =
      "cd \(directory.name) && exec openssl s_server -accept 127.0.0.1:0 -WWW -cert \(certificate) -key \(key)"
    pid = try Subprocess("/bin/sh", ["-c", serve], descriptors: [1: said.writing, 2: said.writing]).pid
    said.closeWriting()
    port = try Self.port(said.reading)
  }

  deinit {
    kill(pid, SIGKILL)
    waitpid(pid, nil, 0)
  }

  /// From the line `ACCEPT 127.0.0.1:PORT`.
  private static func port(_ descriptor: Int32) throws -> Int {
    var line = ""
    var byte: UInt8 = 0
    while read(descriptor, &byte, 1) == 1 {
      if byte != 0x0a {
        line.unicodeScalars.append(Unicode.Scalar(byte))
      } else if line.hasPrefix("ACCEPT "), let port = line.split(separator: ":").last.flatMap({ Int($0) }) {
        return port
      } else {
        line = ""
      }
    }
    throw SystemError("start openssl s_server", errno: EPIPE)
  }
}
