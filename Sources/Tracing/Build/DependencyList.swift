/// The files that clang read, from what `-MD` writes: `target: file file \`, a line of make.
struct DependencyList {
  private var rest: ArraySlice<UInt8>
  private var files: [String] = []
  private var current: [UInt8] = []

  static func files(_ text: [UInt8]) -> [String] {
    var list = DependencyList(rest: text[...])
    while let byte = list.rest.popFirst() { list.take(byte) }
    list.close()
    // The first is the target, with its colon.
    return Array(list.files.dropFirst())
  }

  private init(rest: ArraySlice<UInt8>) {
    self.rest = rest
  }

  private mutating func take(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\\"): takeEscaped()
    case UInt8(ascii: "$"):
      if rest.first == byte { rest.removeFirst() }
      current.append(byte)
    case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\t"): close()
    default: current.append(byte)
    }
  }

  /// A backslash stands for itself, but before blanks, `#` and the end of a line.
  private mutating func takeEscaped() {
    switch rest.first {
    case UInt8(ascii: "\n"):
      rest.removeFirst()
      close()
    case UInt8(ascii: " "), UInt8(ascii: "#"): current.append(rest.removeFirst())
    default: current.append(UInt8(ascii: "\\"))
    }
  }

  private mutating func close() {
    if !current.isEmpty { files.append(String(decoding: current, as: UTF8.self)) }
    current = []
  }
}
