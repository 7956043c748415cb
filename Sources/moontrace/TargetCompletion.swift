import ArgumentParser
import Support
import Tracing

/// What shells offer where a TARGET stands: the recipes by name, and files that can be run; behind it the recipe's own
/// options, and probes, which some recipes take (`funccount t:sched:*`).
enum TargetCompletion {
  static let kind = CompletionKind.custom { words, index, prefix in
    let before = words.prefix(index)
    if let target = target(in: before) {
      return RecipeCompletion(target: before[target], words: Array(before[(target + 1)...])).offers(for: prefix)
    }
    let recipes = ScriptSource.recipeNames()
    return (prefix.contains("/") ? [] : recipes.filter { $0.hasPrefix(prefix) })
      + pathsStarting(with: prefix, where: isRunnable)
  }

  private static func isRunnable(_ file: String) -> Bool {
    [".lua", ".bpf.c", ".bpf.o", "package.json", "package.yaml", ".skel.json", ".skel.yaml", ".tar"]
      .contains(where: file.hasSuffix)
  }

  /// The index of the target among the words of a command line: the first one that is neither an option nor its value.
  private static func target(in words: ArraySlice<String>) -> Int? {
    var index = ["run", "check", "inspect"].contains(words.dropFirst().first) ? 2 : 1
    while index < words.endIndex {
      guard words[index].hasPrefix("-") else { return index }
      index += SessionOptions.namesWithValues.contains(words[index]) ? 2 : 1
    }
    return nil
  }
}
