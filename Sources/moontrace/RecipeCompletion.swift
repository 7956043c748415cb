import ArgumentParser
import Recipes
import Support
import Tracing

/// What shells offer behind a recipe's name.
struct RecipeCompletion {
  let target: String
  /// Those between the target and the word that is completed.
  let words: [String]

  func offers(for prefix: String) -> [String] {
    let options = words.contains("--") ? [] : options
    if let option = words.last.flatMap({ word in options.first { $0.takesValue(behind: word) } }) {
      return Self.values(of: option, prefix)
    }
    if prefix.hasPrefix("--"), let sign = prefix.firstIndex(of: "=") {
      let option = options.first { $0.takesValue(behind: String(prefix[..<sign])) }
      let start = prefix[...sign]
      return option.map { Self.values(of: $0, prefix[sign...].dropFirst()).map { start + $0 } } ?? []
    }
    guard prefix.hasPrefix("-"), !options.isEmpty else { return ProbeCompletion.offers(for: prefix) }
    return options.flatMap(\.offers).filter { $0.hasPrefix(prefix) }
  }

  private var options: [RecipeOption] {
    guard let source = try? ScriptSource.resolve(target) else { return [] }
    let help = RecipeOption(name: "help", type: .boolean, help: "show this help")
    let declared = recipeOptions(of: source)
    return declared.isEmpty ? [] : declared + [help]
  }

  private static func values(of option: RecipeOption, _ prefix: some StringProtocol) -> [String] {
    if option.type == .file { return pathsStarting(with: String(prefix)) }
    return option.choices.map(\.description).filter { $0.hasPrefix(prefix) }
  }
}

extension RecipeOption {
  fileprivate func takesValue(behind word: String) -> Bool {
    type != .boolean && (word == flag || short.map { word == "-\($0)" } ?? false)
  }

  /// How it is given, as the shell that asks takes it: zsh and fish show what each is for.
  fileprivate var offers: [String] {
    let isOn = defaultValue == .boolean(true)
    return (isOn ? ["--no-" + flag.dropFirst(2), flag] : [flag]).map { flag in
      switch CompletionShell.requesting {
      case .zsh: "\(flag.replacing(":", with: "\\:")):\(help.replacing("\n", with: " "))"
      case .fish: "\(flag)\t\(help.replacing("\n", with: " "))"
      default: flag
      }
    }
  }
}
