import Support

/// The rules that the names of a recipe's options keep, so that each can be typed and read as `opt.NAME`.
enum OptionNames {
  static func check(_ name: String, place: String) throws(MoontraceError) {
    try checkIdentifier(name, place: place)
    // What can't follow the dot of `opt.NAME`.
    if LuaToken.keywords.contains(name) {
      throw MoontraceError(
        .scriptFailed, "\(place): opt.\(name) is no Lua, '\(name)' is a keyword", remedy: "rename it")
    }
    if name == "help" {
      throw MoontraceError(.scriptFailed, "\(place): --help already prints the recipe's help", remedy: "rename it")
    }
  }

  /// Throws when two options share a name (`a-b` and `a_b` are one), a letter, or `--no-NAME`.
  static func checkUnique(_ options: [RecipeOption]) throws(MoontraceError) {
    var names: Set<String> = []
    var shorts: [Character: String] = [:]
    for option in options {
      guard names.insert(option.luaName).inserted else {
        throw MoontraceError(.scriptFailed, "recipe: option '\(option.name)' is declared twice")
      }
      guard let short = option.short else { continue }
      if let other = shorts.updateValue(option.name, forKey: short) {
        throw MoontraceError(
          .scriptFailed, "recipe: options '\(other)' and '\(option.name)' share the letter -\(short)")
      }
    }
    for option in options where option.type == .boolean && names.contains("no_" + option.luaName) {
      throw MoontraceError(
        .scriptFailed, "recipe: option 'no-\(option.name)' is also the negation of the boolean '\(option.name)'",
        remedy: "declare one of them")
    }
  }
}
