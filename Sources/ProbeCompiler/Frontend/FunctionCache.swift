import Support

/// The functions of a script as they are entered: each is read, and its blocks found, once, however often its probe is
/// compiled until all types are known.
final class FunctionCache {
  private var frames: [HostReference: Frontend.Frame] = [:]

  func frame(
    of function: HostReference, _ make: () throws(MoontraceError) -> Frontend.Frame
  ) throws(MoontraceError) -> Frontend.Frame {
    if let known = frames[function] { return known }
    let frame = try make()
    frames[function] = frame
    return frame
  }
}
