import CLua
import Glibc
import LuaBytecode
import Support
import Testing

/// The real compiler.
enum Lua {
  struct Failure: Error {
    var message: String
  }

  /// What `string.dump` gives for a text.
  static func dump(_ text: String, name: String = "=test", strip: Bool = false) throws -> [UInt8] {
    let state = try #require(luaL_newstate())
    defer { lua_close(state) }
    let bytes = Array(text.utf8)
    let status = bytes.withUnsafeBytes {
      luaL_loadbufferx(state, $0.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, name, "t")
    }
    guard status == LUA_OK else {
      throw Failure(message: lua_tolstring(state, -1, nil).map { String(cString: $0) } ?? "?")
    }
    var output: [UInt8] = []
    withUnsafeMutablePointer(to: &output) { output in
      _ = lua_dump(
        state,
        { _, chunk, size, output in
          output?.assumingMemoryBound(to: [UInt8].self).pointee
            .append(contentsOf: UnsafeRawBufferPointer(start: chunk, count: size))
          return 0
        }, output, strip ? 1 : 0)
    }
    return output
  }

  /// The compiled text, its operands checked.
  static func compile(_ text: String, name: String = "=test", strip: Bool = false) throws -> LuaPrototype {
    let prototype = try LuaPrototype(dump: dump(text, name: name, strip: strip))
    try prototype.check()
    return prototype
  }
}

/// What `luac5.4` prints, for comparison.
enum Luac {
  static let exists = system("command -v luac5.4 > /dev/null") == 0

  static func run(_ options: String, _ text: String) throws -> String {
    var template = Array("/tmp/moontrace-luac-XXXXXX".utf8CString)
    let file = mkstemp(&template)
    try #require(file >= 0)
    close(file)
    let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    defer { unlink(path) }
    try writeFile(path, Array(text.utf8))
    let pipe = try #require(popen("luac5.4 -p \(options) \(path) 2>&1", "r"))
    let output = try readAll(fileno(pipe), name: "luac5.4")
    try #require(pclose(pipe) == 0, "\(String(decoding: output, as: UTF8.self))")
    return String(decoding: output, as: UTF8.self)
  }
}

/// Lua texts that together hold every opcode.
enum Corpus {
  /// The project's own Lua files, by path.
  static let files: [String] = {
    let top = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
    var found: [String] = []
    guard let pipe = popen("find \(top)/lua-lib \(top)/Tests/lua -name '*.lua' | sort", "r") else { return [] }
    defer { pclose(pipe) }
    let output = (try? readAll(fileno(pipe), name: "find")) ?? []
    for line in String(decoding: output, as: UTF8.self).split(separator: "\n") { found.append(String(line)) }
    return found
  }()

  /// A file's text; a first line for the shell becomes a comment.
  static func text(of path: String) throws -> String {
    let text = String(decoding: try readFile(path), as: UTF8.self)
    return text.hasPrefix("#") ? "--" + text : text
  }

  /// One text for the kinds of expression and statement that the language has.
  static let language = """
    local a <const>, b, c = 1, 2.0, nil
    local function plain(x, y) return x end
    local function none() end
    local function many(n, ...)
      local p, q = ...
      local t = { ... , n = 1, [p] = 2, "x", 5, ... }
      return select('#', ...), t, n
    end
    local t = { 1, 2, 3, key = "v", [1.5] = true, [b] = false }
    t.x, t[1], t[b], t["long key"] = 1, "two", nil, b
    t[2], t[b], t.y, global = b, "k", "k", "k"
    global = t.x + t[1] + t[b] + t["long key"]
    b = b + 1 - 2 * 3 % 4 ^ 5 / 6 // 7 & 8 | 9 ~ 10
    b = b + c - b * c % b ^ c / b // c & b | c ~ b << c >> b .. c .. "s"
    b = b << 1; b = b >> 2; b = 1 << b; b = 1 >> b; b = b + 1000; b = 5 + b; b = b - 3; b = b & 7; b = 7 | b; b = b ~ 300
    b = b * 1000; b = b % 1000; b = b / 1000; b = b // 1000; b = b ^ 1000; b = b - 1000; b = 1000 - b
    b = -b; b = ~b; b = not b; b = #t
    local small, float, big = -65535, 3.0, 1 << 40
    if b == c or b < c and b <= c then b = 1 elseif b == "s" then b = 2 elseif b == 5 then b = 3 end
    if b < 5 or b <= 5 or b > 5 or b >= 5 or 5 > b then b = nil end
    local both = b and c; local either = b or c; local truth = b == c; local yes, no = true, false
    for i = 1, 10 do if i == 5 then goto continue end; b = i ::continue:: end
    for i = 10.5, 1, -0.5 do b = i end
    for k, v in pairs(t) do b = function() return k, v, b end end
    for k in next, t do break end
    while b do b = plain(b, c) end
    repeat local inner = 1; local keep = function() inner = inner + 1 end until inner == 1 or t:method(1, "x")
    do local closed <close> = nil; b = 5 end
    t["a"]["b"].c[4] = "\\a\\b\\f\\n\\r\\t\\v\\0\\200\\"\\\\"
    none(); none(many(1, 2, many(3)))
    return many(t:tail(...))
    """

  /// More constants than `LOADK` can count, in a table of more entries than `SETLIST` can.
  static let large = "return {" + (0..<140_000).map { "\($0).5" }.joined(separator: ",") + "}"
}
