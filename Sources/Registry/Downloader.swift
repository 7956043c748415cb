import Support

/// Fetches files over HTTP.
struct Downloader {
  /// What a server answers.
  enum Answer {
    case file([UInt8], Validators)
    /// What is known still holds.
    case unchanged
  }

  /// What a server knows a version of a file by (RFC 9110 §8.8).
  struct Validators: Equatable {
    var entityTag: String?
    var lastModified: String?
  }

  /// Why a file did not come.
  enum Failure: Error {
    /// There may be a way later: no connection, no answer, or the server has a bad day.
    case unreachable(String)
    case refused(MoontraceError)

    var error: MoontraceError {
      switch self {
      case .unreachable(let reason): MoontraceError(.scriptFailed, reason)
      case .refused(let error): error
      }
    }
  }

  /// No object is larger, and what is would only take memory.
  private static let mostBytes = 128 << 20
  private static let mostRedirects = 8

  /// `http://` also to other machines.
  let allowsInsecure: Bool
  let curl: Curl

  /// - Parameter known: of the version that is here; the answer may then be `unchanged`.
  func get(_ address: RemoteAddress, known: Validators = Validators()) throws(Failure) -> Answer {
    var place = address
    for _ in 0...Self.mostRedirects {
      try checkSecrecy(of: place, from: address)
      let response = try response(from: place, known)
      guard (300..<400).contains(response.status), let next = response.field("location") else {
        return try answer(response, place)
      }
      do throws(MoontraceError) {
        place = try place.following(next)
      } catch {
        throw .refused(MoontraceError(.scriptFailed, "\(place) redirects to what is no address: \(error)"))
      }
    }
    throw .refused(MoontraceError(.scriptFailed, "\(address): more than \(Self.mostRedirects) redirections"))
  }

  private func checkSecrecy(of place: RemoteAddress, from address: RemoteAddress) throws(Failure) {
    guard place.scheme == .http, !place.isLoopback, !allowsInsecure else { return }
    let way = "\(place)" == "\(address)" ? "" : ", where \(address) redirects to"
    throw .refused(
      MoontraceError(
        .usage, "\(place)\(way): http:// lets everyone on the way change what you would run",
        remedy: "use https://, or say --insecure"))
  }

  private func response(from place: RemoteAddress, _ known: Validators) throws(Failure) -> HTTPResponse {
    let tag = known.entityTag.map { "If-None-Match: \($0)" }
    let date = known.lastModified.map { "If-Modified-Since: \($0)" }
    let outcome: Curl.Outcome
    do throws(MoontraceError) {
      outcome = try curl.get("\(place)", headers: [tag, date].compactMap(\.self), limit: Self.mostBytes)
    } catch {
      throw .refused(error)
    }
    switch outcome {
    case .response(let response): return response
    case .tooLarge:
      throw .refused(MoontraceError(.scriptFailed, "\(place): the file is larger than \(Self.mostBytes >> 20) MiB"))
    case .failed(let failure): throw .unreachable("\(place): \(failure.message)")
    }
  }

  private func answer(_ response: HTTPResponse, _ place: RemoteAddress) throws(Failure) -> Answer {
    let said =
      "\(place): the server answers \(response.status)" + (response.reason.isEmpty ? "" : " \(response.reason)")
    switch response.status {
    case 200:
      let (tag, date) = (response.field("etag"), response.field("last-modified"))
      return .file(response.body, Validators(entityTag: tag, lastModified: date))
    case 304: return .unchanged
    case 500...: throw .unreachable(said)
    case 404, 410: throw .refused(MoontraceError(.usage, "\(place): there is no such file (\(response.status))"))
    default: throw .refused(MoontraceError(.scriptFailed, said))
    }
  }
}
