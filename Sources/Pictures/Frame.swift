/// One function of a stack, or what stands in its place.
public struct Frame: Hashable, Sendable {
  /// Where the function runs, which is how it is coloured.
  public enum Place: Hashable, Sendable {
    /// No function, but what the stack belongs to, such as a process's name.
    case group
    case user
    case kernel
  }

  public var name: String
  public var place: Place

  public init(_ name: String, _ place: Place) {
    self.name = name
    self.place = place
  }
}

extension Frame {
  /// The frames of a stack's text, outermost first: one frame a line, innermost first, as stacks read in scripts.
  ///
  /// Without `+offset`, so that samples of one function add up. What has no name is called by its file, `[libc.so.6]`,
  /// or `[unknown]`, for its addresses differ from process to process; several such in a row are one frame.
  public static func stack(_ text: String, _ place: Place) -> [Frame] {
    var frames: [Frame] = []
    for line in text.split(separator: "\n").reversed() {
      let frame = Frame(functionName(line), place)
      if frame != frames.last || !frame.isNameless { frames.append(frame) }
    }
    return frames
  }

  private var isNameless: Bool { name.hasPrefix("[") }

  private static func functionName(_ line: Substring) -> String {
    if line.hasPrefix("0x") { return "[unknown]" }
    guard let plus = line.lastIndex(of: "+"), line[plus...].hasPrefix("+0x") else { return String(line) }
    let name = line[..<plus]
    return isLibrary(name) ? "[\(name)]" : String(name)
  }

  /// `libc.so.6`, `libssl.so`: what stands before the offset where a library has no symbols.
  private static func isLibrary(_ name: Substring) -> Bool {
    name.hasSuffix(".so") || name.firstRange(of: ".so.") != nil
  }
}
