/// A piece of Lua that was entered at a keyboard.
public struct Chunk: Equatable, Sendable {
  public enum Kind: Sendable {
    case statement
    /// Only a value, which a script can't hold as a statement: `1 + 1`.
    case expression
    /// It ends with `return`.
    case returning
  }

  public var text: String
  public var kind: Kind

  public init(text: String, kind: Kind) {
    self.text = text
    self.kind = kind
  }

  /// The chunk as a part of a script that means the same. What is local to it stays so.
  public var scriptText: String {
    switch kind {
    case .expression:
      return "-- " + text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\n-- ")
    case .returning: return "(function()\n\(text)\nend)()"
    case .statement: return hasNames ? "do\n\(text)\nend" : text
    }
  }

  /// Whether it may have locals or labels, which end with the chunk.
  private var hasNames: Bool { text.contains("local") || text.contains("::") }
}
