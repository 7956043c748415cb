import Glibc
import Support

/// Names of addresses in processes, from their mappings and the symbol tables of the files mapped there.
///
/// Tables are kept per file and mappings per process. Mappings are read anew once they are a second old, since a process
/// loads libraries and calls exec; those of a process that is gone stay. Code without a file is named by
/// /tmp/perf-PID.map when its run-time compiler writes one.
///
/// ```swift
/// let symbols = UserSymbols()
/// print(symbols.symbol(at: address, process: pid)?.description ?? "?")  // malloc+0x14
/// ```
public final class UserSymbols {
  private struct Known {
    var mappings: MemoryMappings
    /// Seconds of CLOCK_MONOTONIC.
    var readAt: Double
  }

  /// How long mappings are taken to be as they were read.
  private static let freshness: Double = 1
  /// The same after an address that is in none of them: the process may have become another program.
  private static let patience: Double = 0.02
  private var mappings: [Int32: Known] = [:]
  private var files: [String: FileSymbols] = [:]
  private var generated: [Int32: SymbolTable] = [:]

  public init() {}

  /// The function at an address of a process; nil when the process is gone, or nothing is known about the place.
  public func symbol(at address: UInt64, process: Int32) -> Symbol? {
    guard let mapping = mapping(at: address, process: process) else { return nil }
    if mapping.path.isEmpty || mapping.path.hasPrefix("//anon") {
      return generatedSymbol(at: address, process: process)
    }
    let offset = address - mapping.start + mapping.fileOffset
    let found = symbols(of: mapping, process: process).find(fileOffset: offset)
    return found.map { Symbol(name: sourceName(of: $0.name), offset: $0.offset, module: mapping.path) }
  }

  /// The file mapped at an address of a process, and the address's place in it: what is known without symbols.
  public func place(of address: UInt64, process: Int32) -> (path: String, fileOffset: UInt64)? {
    guard let mapping = mapping(at: address, process: process), !mapping.path.isEmpty else { return nil }
    return (mapping.path, address - mapping.start + mapping.fileOffset)
  }

  /// Reads the mappings of a process now, unless that was done less than a second ago, so that its addresses have names
  /// also when it is gone.
  public func remember(process: Int32) {
    let now = Self.now()
    if let known = mappings[process], now - known.readAt < Self.freshness { return }
    refresh(process, now)
  }

  /// Forgets a process, whose number another one may get.
  public func forget(process: Int32) {
    mappings[process] = nil
    generated[process] = nil
  }

  private func mapping(at address: UInt64, process: Int32) -> MemoryMappings.Mapping? {
    let now = Self.now()
    if let known = mappings[process] {
      let found = known.mappings.mapping(at: address)
      if now - known.readAt < (found == nil ? Self.patience : Self.freshness) { return found }
    }
    return refresh(process, now).mapping(at: address)
  }

  @discardableResult
  private func refresh(_ process: Int32, _ now: Double) -> MemoryMappings {
    var fresh = MemoryMappings(process: process)
    if fresh.isEmpty, let last = mappings[process] { fresh = last.mappings }
    mappings[process] = Known(mappings: fresh, readAt: now)
    return fresh
  }

  private static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC_COARSE, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// The process's own view of the file, which may be in a container.
  private func symbols(of mapping: MemoryMappings.Mapping, process: Int32) -> FileSymbols {
    if let known = files[mapping.identity] { return known }
    let inside = "/proc/\(process)/root\(mapping.path)"
    let symbols = FileSymbols(path: KernelFeatures.exists(inside) ? inside : mapping.path)
    files[mapping.identity] = symbols
    return symbols
  }

  private func generatedSymbol(at address: UInt64, process: Int32) -> Symbol? {
    if let found = generated[process]?.find(address) { return Symbol(name: found.name, offset: found.offset) }
    // Not kept when it fails: the compiler writes the file as it goes.
    guard let bytes = try? readFile("/tmp/perf-\(process).map") else { return nil }
    let table = Self.parsePerfMap(String(decoding: bytes, as: UTF8.self))
    generated[process] = table
    return table.find(address).map { Symbol(name: $0.name, offset: $0.offset) }
  }

  /// `start size name`, hexadecimal, one a line (the kernel's tools/perf/Documentation/jit-interface.txt).
  static func parsePerfMap(_ text: String) -> SymbolTable {
    var table = SymbolTable()
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: " ", maxSplits: 2)
      guard fields.count == 3, let start = UInt64(fields[0], radix: 16), let size = UInt64(fields[1], radix: 16) else {
        continue
      }
      table.append(address: start, size: size, name: fields[2].utf8)
    }
    table.sort()
    return table
  }
}
