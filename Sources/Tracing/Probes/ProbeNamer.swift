import CEventCore
import KernelLoader
import ProbeCompiler

/// Makes the text of values that travel as raw words: symbols, stacks, addresses of hosts.
final class ProbeNamer {
  /// What decode plans point to.
  let core: UnsafeMutablePointer<mt_namer>
  /// The map of stack traces; -1 until there is one.
  var stackMap: Int32 = -1
  private let kernelSymbols: KernelSymbols
  private let userSymbols: UserSymbols
  /// The last text, which C reads until the next one is made.
  private var text: UnsafeMutableBufferPointer<CChar> = .allocate(capacity: 256)

  /// Frames that a stack trace may have: the kernel's `perf_event_max_stack` at its default.
  static let deepestStack = 127

  init(_ kernelSymbols: KernelSymbols, _ userSymbols: UserSymbols) {
    self.kernelSymbols = kernelSymbols
    self.userSymbols = userSymbols
    core = .allocate(capacity: 1)
    core.initialize(to: mt_namer(text: makeName, context: nil))
    core.pointee.context = Unmanaged.passUnretained(self).toOpaque()
  }

  deinit {
    core.deallocate()
    text.deallocate()
  }

  /// The text of a value's words; empty for a stack that could not be taken, such as the kernel's of a process that
  /// runs in user mode.
  func name(_ naming: DataType.Naming, _ words: [UInt64]) -> String? {
    guard let first = words.first else { return nil }
    let process = Int32(truncatingIfNeeded: words.count > 1 ? words[1] : 0)
    switch naming {
    case .kernelSymbol: return kernelSymbols.name(of: first)
    case .userSymbol: return userSymbols.name(of: first, process: process)
    case .kernelStack: return stack(first) { kernelSymbols.place(of: $0) }
    case .userStack: return stack(first) { userSymbols.frame(at: $0, process: process) }
    case .address4: return withUnsafeBytes(of: first) { addressText(Array($0.prefix(4))) }
    case .address6: return words.withUnsafeBytes { addressText(Array($0.prefix(16))) }
    }
  }

  /// One frame a line, the innermost first.
  private func stack(_ id: UInt64, _ frame: (UInt64) -> String) -> String {
    guard Int64(bitPattern: id) >= 0, stackMap >= 0 else { return "" }
    var key = UInt32(truncatingIfNeeded: id)
    var addresses = [UInt64](repeating: 0, count: Self.deepestStack)
    guard MapOperations.lookup(stackMap, &key, &addresses) == 0 else { return "" }
    return addresses.prefix { $0 != 0 }.map(frame).joined(separator: "\n")
  }

  /// Keeps a text for C; its length.
  fileprivate func keep(_ name: String) -> Int {
    var name = name
    return name.withUTF8 { bytes in
      if bytes.count > text.count {
        text.deallocate()
        text = .allocate(capacity: bytes.count * 2)
      }
      for (index, byte) in bytes.enumerated() { text[index] = CChar(bitPattern: byte) }
      return bytes.count
    }
  }

  fileprivate var kept: UnsafePointer<CChar>? { UnsafePointer(text.baseAddress) }
}

private let makeName:
  @convention(c) (
    UnsafeMutableRawPointer?, UInt32, UnsafePointer<UInt64>?, UInt32, UnsafeMutablePointer<Int>?
  ) -> UnsafePointer<CChar>? = { context, number, words, count, length in
    guard let context, let naming = DataType.Naming(number: number) else { return nil }
    let namer = Unmanaged<ProbeNamer>.fromOpaque(context).takeUnretainedValue()
    let words = Array(UnsafeBufferPointer(start: words, count: Int(count)))
    guard let name = namer.name(naming, words) else { return nil }
    length?.pointee = namer.keep(name)
    return namer.kept
  }
