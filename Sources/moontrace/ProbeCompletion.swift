import ArgumentParser
import Tracing

/// What shells offer where a probe SPEC stands, one part at a time: kinds, then categories, then names.
enum ProbeCompletion {
  /// More than this nobody reads.
  private static let limit = 2000

  /// Completions of a word, as the shell that asks takes them: for zsh, what follows a colon is a description.
  static func offers(for prefix: String) -> [String] {
    let candidates = candidates(for: prefix)
    guard CompletionShell.requesting == .zsh else { return candidates }
    return candidates.map { $0.replacing(":", with: "\\:") }
  }

  private static func candidates(for prefix: String) -> [String] {
    let stem = prefix.lastIndex(of: ":").map { prefix[...$0] } ?? ""
    return Set(ProbeNames().parts(after: prefix).prefix(limit)).sorted().map { stem + $0 }
  }
}
