import Glibc
import Support

/// The curl(1) of this machine: HTTP, TLS and its certificates, proxies from the environment.
///
/// Why a program and no library: docs/decisions/0008-curl.md.
struct Curl {
  /// What curl ended with.
  struct Failure: Error {
    /// As curl(1) lists it under EXIT CODES.
    var code: Int32
    /// What it said, without its own name.
    var message: String
  }

  enum Outcome {
    case response(HTTPResponse)
    /// The body is larger than asked for.
    case tooLarge
    case failed(Failure)
  }

  /// What servers find in their logs.
  let agent: String

  /// Gets one address, without following redirections.
  ///
  /// - Parameters:
  ///   - headers: `Name: value`.
  ///   - limit: of the body, in bytes; more is not read.
  /// - Throws: `.unsupported` when there is no curl.
  func get(_ address: String, headers: [String], limit: Int) throws(MoontraceError) -> Outcome {
    // Neither the user's ~/.curlrc nor braces in an address change what is asked for.
    let fixed = ["--disable", "--globoff", "--silent", "--show-error", "--include", "--suppress-connect-headers"]
    let schemes = ["--proto", "=http,https"]
    let patience = ["--connect-timeout", "10", "--speed-time", "30", "--speed-limit", "1"]
    let size = ["--max-filesize", "\(limit)"]
    let fields = (["User-Agent: \(agent)"] + headers).flatMap { ["--header", $0] }
    let (code, output, errors) = try run(fixed + schemes + patience + size + fields + ["--url", address], limit: limit)
    guard let output, code != 63 else { return .tooLarge }
    guard code == 0 else { return .failed(Failure(code: code, message: Self.message(errors))) }
    guard let response = HTTPResponse(output) else {
      return .failed(Failure(code: code, message: "the server does not speak HTTP"))
    }
    return .response(response)
  }

  /// Headers come with the body, and take no more than curl takes of them.
  private static let mostHeaders = 1 << 20

  private func run(
    _ arguments: [String], limit: Int
  ) throws(MoontraceError) -> (code: Int32, output: [UInt8]?, errors: [UInt8]) {
    do throws(SystemError) {
      var data = try Pipe()
      var errors = try Pipe()
      let child = try Subprocess("curl", arguments, descriptors: [1: data.writing, 2: errors.writing])
      data.closeWriting()
      errors.closeWriting()
      let output = try readAll(data.reading, name: "curl's output", limit: limit + Self.mostHeaders)
      if output == nil { kill(child.pid, SIGKILL) }
      let said = try readAll(errors.reading, name: "curl's errors")
      return (try child.wait(), output, said)
    } catch {
      throw error.errno == ENOENT
        ? MoontraceError(
          .unsupported, "targets from the network are fetched with curl, and none is on PATH",
          remedy: "apt install curl, or fetch the file yourself and run it from disk")
        : MoontraceError(.scriptFailed, "curl: \(error)")
    }
  }

  /// `curl: (7) Failed to connect to …` without the parts that only curl's users know.
  private static func message(_ errors: [UInt8]) -> String {
    let lines = String(decoding: errors, as: UTF8.self).split(separator: "\n")
    guard let line = lines.first(where: { $0.hasPrefix("curl: (") }) else { return lines.last.map(String.init) ?? "" }
    return line.firstRange(of: ") ").map { String(line[$0.upperBound...]) } ?? String(line)
  }
}
