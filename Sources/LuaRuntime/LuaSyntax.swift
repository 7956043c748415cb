import CLua
import Support

/// Asks Lua's own parser about a text, without running any of it.
///
/// None of the calls raises an error: loading is protected by Lua itself, dumping allocates nothing in the state.
public enum LuaSyntax {
  /// What Lua has against a text: `line` counts from 1.
  public struct Mistake: Error, Equatable {
    public var line: Int
    /// In Lua's words: `unexpected symbol near '@'`.
    public var message: String

    /// Whether the text may become right by lines that follow: its end (`<eof>` in llex.c) came too early.
    public var isEnd: Bool { message.hasSuffix("<eof>") }
  }

  /// The function that a text compiles to, as `string.dump` gives it, lines included.
  ///
  /// ```swift
  /// let isExpression = (try? LuaSyntax.compile("return pid, comm")) != nil
  /// ```
  public static func compile(_ text: String) throws(Mistake) -> [UInt8] {
    guard let lua = luaL_newstate() else { throw Mistake(line: 1, message: "not enough memory") }
    defer { lua_close(lua) }
    let status = text.utf8CString.withUnsafeBufferPointer {
      luaL_loadbufferx(lua, $0.baseAddress, $0.count - 1, "=lua", "t")
    }
    guard status == LUA_OK else { throw mistake(lua) }
    var bytes: [UInt8] = []
    withUnsafeMutablePointer(to: &bytes) { _ = lua_dump(lua, append, $0, 0) }
    return bytes
  }

  private static let append: lua_Writer = { _, start, count, context in
    let chunk = UnsafeRawBufferPointer(start: start, count: count)
    context?.assumingMemoryBound(to: [UInt8].self).pointee.append(contentsOf: chunk)
    return 0
  }

  /// The text on top of the stack is `lua:LINE: MESSAGE`.
  private static func mistake(_ lua: OpaquePointer) -> Mistake {
    let text = lua_tolstring(lua, -1, nil).map { String(cString: $0) } ?? "not enough memory"
    let parts = text.split(separator: ":", maxSplits: 2)
    guard parts.count == 3, let line = Int(parts[1]) else { return Mistake(line: 1, message: text) }
    return Mistake(line: line, message: String(parts[2].dropFirst()))
  }
}
