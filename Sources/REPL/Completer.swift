import Support
import Tracing

/// Completes what is typed in a session.
struct Completer {
  let session: InteractiveSession
  let names = ProbeNames()
  /// The lines of the chunk before the one that is typed.
  var earlierLines: () -> String

  /// Functions that only probe functions have, besides the kernel's values.
  private static let probeFunctions = ["str", "buf", "kstr", "cast"]

  func complete(_ line: String) -> Completion {
    switch CompletionPlace(endOf: earlierLines() + line) {
    case .command(let start): return Completion(start: start, candidates: Command.names)
    case .argument(let command, let start): return argument(of: command, start)
    case .spec(let start): return spec(start)
    case .path(let start): return path(start)
    case .name(let path, let start, let isMethod, let probe): return name(path, start, isMethod, probe)
    case .nothing: return .none
    }
  }

  private func argument(of command: String, _ start: String) -> Completion {
    switch Command.argument(of: command) {
    case .probeNumber?: return Completion(start: start, candidates: session.probes.map { "\($0.number)" })
    case .spec?: return spec(start)
    case .type?:
      let last = start.split(separator: " ", omittingEmptySubsequences: false).last.map(String.init) ?? ""
      return Completion(start: last, candidates: names.types(after: last))
    case .file?: return path(start)
    case nil: return .none
    }
  }

  private func path(_ start: String) -> Completion {
    Completion(start: start, candidates: pathsStarting(with: start))
  }

  private func spec(_ start: String) -> Completion {
    let last = start.split(separator: ":", omittingEmptySubsequences: false).last.map(String.init) ?? ""
    return Completion(start: last, candidates: names.parts(after: start))
  }

  private func name(
    _ path: [String], _ start: String, _ isMethod: Bool, _ probe: CompletionPlace.ProbeFunction?
  ) -> Completion {
    if let probe, let root = path.first, root == probe.argument || root == "curtask" {
      let known = root == "curtask" ? path : ["args"] + path.dropFirst()
      return Completion(start: start, candidates: names.members(of: known, spec: probe.spec))
    }
    var candidates = session.members(of: path, isMethod: isMethod)
    if path.isEmpty {
      candidates += LuaToken.keywords
      if let probe { candidates += session.kernelValues + Self.probeFunctions + [probe.argument].compactMap(\.self) }
    }
    return Completion(start: start, candidates: candidates.sorted())
  }
}
