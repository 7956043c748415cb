import ArgumentParser
import Registry
import Support
import Tracing

/// The options of commands whose TARGET may be an address.
struct RemoteOptions: ParsableArguments {
  @Flag(help: "Fetch http:// targets from other machines too: anyone on the way can change them.")
  var insecure = false

  static let names = ["--insecure"]
}

/// A target as it is read, and what came over the network for it.
struct ResolvedTarget {
  var source: ScriptSource
  /// None when it is on this machine.
  var files: [RemoteFile] = []

  /// Finds what TARGET means, and brings it here when it is an address.
  init(_ target: String, _ options: RemoteOptions, quiet: Bool = false) throws(MoontraceError) {
    guard RemoteAddress.isOne(target) else {
      source = try ScriptSource.resolve(target)
      return
    }
    let address = try RemoteAddress(target)
    files = try RemoteFile.fetch(
      address, allowsInsecure: options.insecure, agent: "moontrace/\(Moontrace.version)")
    for file in files where !quiet {
      guard let reason = file.isOldBecause else { continue }
      printToStandardError("moontrace: note: \(reason); this is the copy of an earlier run")
    }
    source = try ScriptSource.resolve(files[0].path)
  }
}
