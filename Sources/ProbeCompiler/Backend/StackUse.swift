import Support

/// How much stack a program takes when its loop bodies run, one inside the other.
struct StackUse {
  /// Linux grants 512 bytes to all frames together (`MAX_BPF_STACK`), each rounded up to 32, and takes a chain of eight
  /// (`MAX_CALL_FRAMES`).
  static let largest = 512
  private static let deepest = 8

  private var sizes: [Int]
  private var depths: [Int]

  /// - Parameter frames: the bytes that each function's frame takes.
  init(_ program: IRProgram, frames: [Int32]) {
    sizes = frames.map { max(Int($0) + 31, 32) & ~31 }
    depths = frames.map { _ in 1 }
    // Bodies stand behind their callers.
    for number in frames.indices.reversed() {
      let bodies = program.functions[number].bodies
      sizes[number] += bodies.map { sizes[$0] }.max() ?? 0
      depths[number] += bodies.map { depths[$0] }.max() ?? 0
    }
  }

  /// - Throws: `.unsupported` when it is more than the kernel grants.
  func check(_ name: String) throws(MoontraceError) {
    if sizes[0] > Self.largest { throw Self.refusal(name, sizes[0]) }
    if depths[0] > Self.deepest {
      throw MoontraceError(
        .unsupported, "program '\(name)' has loops \(depths[0] - 1) deep, the kernel takes \(Self.deepest - 1)",
        remedy: "nest fewer loops")
    }
  }

  /// What is said of a program that needs so many bytes.
  static func refusal(_ name: String, _ size: Int) -> MoontraceError {
    MoontraceError(
      .unsupported, "program '\(name)' needs \(size) bytes of stack, the kernel grants \(largest)",
      remedy: "use fewer local variables at a time, or split the probe")
  }
}
