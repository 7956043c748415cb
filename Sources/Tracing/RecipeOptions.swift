import LuaRuntime
import Recipes
import Support

/// The options that a script declares by `recipe`; none when it declares none, or can't be run so far. Nothing is loaded
/// or attached, and nothing behind the declaration runs.
///
/// ```swift
/// recipeOptions(of: try .resolve("opensnoop")).map(\.flag)  // "--pid", "--failed", …
/// ```
public func recipeOptions(of source: ScriptSource) -> [RecipeOption] {
  // What does not speak of a header is not run for it.
  guard !source.isLibrary, String(decoding: source.text, as: UTF8.self).contains("recipe") else { return [] }
  var configuration = SessionConfiguration()
  configuration.checksOnly = true
  configuration.endsAtHeader = true
  configuration.outputPath = "/dev/null"
  return (try? TracingSession(source, configuration).readHeader())?.options ?? []
}

extension TracingSession {
  fileprivate func readHeader() throws(MoontraceError) -> RecipeHeader? {
    defer { for object in objects { object.close() } }
    try defineScriptFunctions()
    do throws(LuaFailure) {
      try runtime.run(script: source.text, name: source.chunkName, arguments: [])
    } catch {
      return header
    }
    return header
  }
}
