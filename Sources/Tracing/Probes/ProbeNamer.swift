import CEventCore
import KernelLoader
import ProbeCompiler

/// Makes the text of values that travel as raw words: symbols, stacks, addresses of hosts.
final class ProbeNamer {
  /// What decode plans point to.
  let core: UnsafeMutablePointer<mt_namer>
  /// The maps of stack traces, by how many frames they have room for.
  var stackMaps: [Int32: Int32] = [:]
  private let kernelSymbols: KernelSymbols
  private let userSymbols: UserSymbols
  /// The last text, which C reads until the next one is made.
  private var text: UnsafeMutableBufferPointer<CChar> = .allocate(capacity: 256)

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
    case .kernelStack(let depth, let frames): return kernelStack(first, depth, frames)
    case .userStack(let depth):
      return stack(first, depth).map { userSymbols.frame(at: $0, process: process) }.joined(separator: "\n")
    case .address4: return withUnsafeBytes(of: first) { addressText(Array($0.prefix(4))) }
    case .address6: return words.withUnsafeBytes { addressText(Array($0.prefix(16))) }
    case .address: return words.withUnsafeBytes { addressText(Array($0.prefix(words.last == 4 ? 4 : 16))) }
    }
  }

  /// The addresses of a stack's frames, the innermost first.
  private func stack(_ id: UInt64, _ depth: Int32) -> [UInt64] {
    guard Int64(bitPattern: id) >= 0, let map = stackMaps[depth] else { return [] }
    var key = UInt32(truncatingIfNeeded: id)
    var addresses = [UInt64](repeating: 0, count: Int(depth))
    guard MapOperations.lookup(map, &key, &addresses) == 0 else { return [] }
    return Array(addresses.prefix { $0 != 0 })
  }

  /// One frame a line. Where those that ran the program may stand above the traced function, it starts with that.
  private func kernelStack(_ id: UInt64, _ depth: Int32, _ frames: Int32?) -> String {
    let places = stack(id, depth).map { kernelSymbols.place(of: $0) }
    guard let frames else { return places.joined(separator: "\n") }
    return places.drop(while: Self.isOwnFrame).prefix(Int(frames)).joined(separator: "\n")
  }

  /// Functions between a traced place and the program there (the kernel's kernel/bpf/trampoline.c,
  /// kernel/trace/bpf_trace.c, kernel/trace/trace_syscalls.c, include/linux/tracepoint.h).
  private static let ownFrames = [
    "bpf_prog_", "bpf_trampoline_", "bpf_trace_run", "__bpf_trace_", "__traceiter_", "perf_trace_",
    "perf_syscall_enter", "perf_syscall_exit",
  ]

  private static func isOwnFrame(_ place: String) -> Bool {
    ownFrames.contains { place.hasPrefix($0) }
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
