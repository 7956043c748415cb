import KernelLoader
import Support

/// `moontrace trace PROBE ACTION [PROBE ACTION]...` as a script: awk's `pattern {action}` for the kernel.
///
/// Text in, text out; only whether a PROBE is one is looked up.
///
/// ```swift
/// let line = try OneLiner(["t:syscalls:sys_enter_openat", "pid, comm, str(args.filename)"])
/// let code = runSession(try line.script(), configuration)
/// ```
public struct OneLiner {
  /// A probe and what happens there.
  public struct Pair: Equatable {
    public var probes: [String]
    public var action: String
    /// Conditions, all of which have to hold.
    public var filters: [String]
  }

  public private(set) var pairs: [Pair] = []
  /// Conditions of all probes.
  public private(set) var filters: [String] = []

  /// Takes the words behind `trace`: pairs, and `--if EXPR`, which belongs to the pair it stands in or behind, and
  /// before all pairs to each.
  ///
  /// - Throws: `.usage` when a probe is none, or lacks its action.
  public init(_ words: [String]) throws(MoontraceError) {
    var rest = words[...]
    while let word = rest.popFirst() {
      if let filter = try Self.filter(word, &rest) {
        addFilter(filter)
      } else if let last = pairs.indices.last, pairs[last].action.isEmpty {
        if word.allSatisfy(\.isWhitespace) { throw Self.usage("the action of '\(pairs[last].name)' is empty") }
        pairs[last].action = word
      } else {
        pairs.append(Pair(probes: try probes(word, before: rest.first), action: "", filters: []))
      }
    }
    if pairs.isEmpty { throw Self.usage("there is nothing to trace") }
    if let last = pairs.last, last.action.isEmpty {
      throw Self.usage("probe \(pairs.count) '\(last.name)' has no action")
    }
  }

  private static func filter(_ word: String, _ rest: inout ArraySlice<String>) throws(MoontraceError) -> String? {
    if word.hasPrefix("--if=") { return String(word.dropFirst("--if=".count)) }
    guard word == "--if" else { return nil }
    guard let filter = rest.popFirst() else {
      throw MoontraceError(.usage, "trace: --if lacks its condition", remedy: "such as --if 'pid == 12'")
    }
    return filter
  }

  private mutating func addFilter(_ filter: String) {
    if pairs.isEmpty { filters.append(filter) } else { pairs[pairs.count - 1].filters.append(filter) }
  }

  private static func usage(_ message: String) -> MoontraceError {
    MoontraceError(
      .usage, "trace: \(message)",
      remedy: "write PROBE ACTION, such as t:syscalls:sys_enter_openat 'pid, comm, str(args.filename)'")
  }

  /// One SPEC, or several with commas between.
  private func probes(_ word: String, before next: String?) throws(MoontraceError) -> [String] {
    let specs = word.split(separator: ",").map { $0.trimming(\.isWhitespace) }
    let isList = specs.count > 1 && specs.allSatisfy { (try? AttachSpec($0)) != nil }
    if isList { return specs }
    do throws(MoontraceError) {
      _ = try AttachSpec(word)
      return [word]
    } catch {
      let isUnquoted = !pairs.isEmpty && !word.contains(":")
      throw MoontraceError(
        error.code, "trace: probe \(pairs.count + 1): \(error.message)",
        remedy: isUnquoted ? "an action is one word for the shell: quote it" : error.remedy)
    }
  }

  // MARK: The script

  /// The script that does it. Throws `.usage`, with the action and the column, for what is no Lua.
  public func script() throws(MoontraceError) -> ScriptSource {
    var actions: [OneLinerAction] = []
    for (index, pair) in pairs.enumerated() {
      actions.append(try OneLinerAction(OneLinerPart("action \(index + 1)", pair.action)))
    }
    let common = try Self.conditions(filters, "--if")
    var own: [[OneLinerPart]] = []
    for (index, pair) in pairs.enumerated() {
      own.append(try Self.conditions(pair.filters, "--if of probe \(index + 1)"))
    }
    let writer = OneLinerWriter(shared: SharedNames(actions, filters: common + own.flatMap { $0 }))
    var text = OneLinerText()
    writer.declare(&text)
    for (index, action) in actions.enumerated() {
      writer.write(action, number: index + 1, pairs[index].probes, filters: common + own[index], &text)
    }
    writer.showAtEnd(&text)
    var source = ScriptSource(text: Array(text.text.utf8), name: ScriptPlaces.chunk)
    source.places = text.places
    return source
  }

  private static func conditions(_ texts: [String], _ name: String) throws(MoontraceError) -> [OneLinerPart] {
    var parts: [OneLinerPart] = []
    for text in texts {
      let part = OneLinerPart(name, text)
      guard !part.tokens.isEmpty, part.tokens.split().count == 1 else {
        throw MoontraceError(
          .usage, "trace: \(name): '\(text)' is no condition", remedy: "such as --if 'pid == 12 and args.ret < 0'")
      }
      _ = try OneLinerAction.compile("return", part)
      parts.append(part)
    }
    return parts
  }
}

extension OneLiner.Pair {
  fileprivate var name: String { probes.joined(separator: ",") }
}

extension StringProtocol {
  fileprivate func trimming(_ isUnwanted: (Character) -> Bool) -> String {
    let start = drop(while: isUnwanted)
    return String(start.reversed().drop(while: isUnwanted).reversed())
  }
}
