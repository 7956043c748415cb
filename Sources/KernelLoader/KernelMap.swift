import CLibbpf
import Glibc
import Support

/// A map that this process makes for programs that it assembles; the kernel frees it when the last of this value and
/// the programs that use it is gone, also after SIGKILL.
///
/// ```swift
/// let counts = try KernelMap(KernelMap.Definition(name: "counts", type: .hash, keySize: 8, valueSize: 8, maxEntries: 1024))
/// try counts.update(key, to: value)
/// ```
public final class KernelMap: Sendable {
  /// What `BPF_MAP_CREATE` of bpf(2) takes.
  public struct Definition: Hashable, Sendable {
    /// As errors call it; the kernel shows what of it are letters and digits, 15 characters.
    public var name: String
    public var type: MapType
    /// Bytes; 0 for ring buffers.
    public var keySize: Int
    /// Bytes, for per-CPU maps of one CPU's slot; 0 for ring buffers.
    public var valueSize: Int
    /// Entries; for a ring buffer bytes, rounded up to a size that the kernel takes.
    public var maxEntries: Int
    /// `BPF_F_…`
    public var flags: UInt32

    public init(
      name: String, type: MapType, keySize: Int, valueSize: Int, maxEntries: Int, flags: UInt32 = 0
    ) {
      self.name = name
      self.type = type
      self.keySize = keySize
      self.valueSize = valueSize
      self.maxEntries = maxEntries
      self.flags = flags
    }

    /// A ring buffer of at least so many bytes.
    public static func ringBuffer(name: String, bytes: Int = RingSize.standard) -> Definition {
      Definition(name: name, type: .ringBuffer, keySize: 0, valueSize: 0, maxEntries: RingSize.rounded(bytes))
    }

    /// Stack traces of up to `depth` addresses (the kernel's limit is 127 unless perf_event_max_stack says otherwise).
    public static func stackTraces(name: String, depth: Int = 127, maxEntries: Int) -> Definition {
      Definition(name: name, type: .stackTrace, keySize: 4, valueSize: 8 * depth, maxEntries: maxEntries)
    }

    /// An array of one value.
    public static func value(name: String, size: Int, perCPU: Bool = false, flags: UInt32 = 0) -> Definition {
      Definition(
        name: name, type: perCPU ? .perCPUArray : .array, keySize: 4, valueSize: size, maxEntries: 1, flags: flags)
    }
  }

  public let definition: Definition
  private let owned: OwnedDescriptor
  public var descriptor: Int32 { owned.number }
  /// Bytes of a value in user space: all possible CPUs' slots of a per-CPU map, each rounded up to 8 bytes.
  public var wholeValueSize: Int {
    guard definition.type.isPerCPU else { return definition.valueSize }
    return (definition.valueSize + 7) / 8 * 8 * MapOperations.possibleCPUs
  }

  /// Creates the map. Throws what the kernel has against it, `.notPermitted` or `.scriptFailed`.
  public init(_ definition: Definition) throws(MoontraceError) {
    self.definition = definition
    var options = bpf_map_create_opts()
    options.sz = optionsSize(upTo: \bpf_map_create_opts.map_flags)
    options.map_flags = definition.flags
    guard let keySize = UInt32(exactly: definition.keySize), let valueSize = UInt32(exactly: definition.valueSize),
      let maxEntries = UInt32(exactly: definition.maxEntries)
    else { throw MoontraceError(.usage, "map '\(definition.name)' is too large") }
    let type = bpf_map_type(rawValue: definition.type.rawValue)
    do throws(KernelFailure) {
      owned = OwnedDescriptor(
        try checkLibbpf { bpf_map_create(type, definition.kernelName, keySize, valueSize, maxEntries, &options) })
    } catch {
      throw MapRefusal(definition, in: nil, failure: error).error
    }
  }

  /// The value of a key, of all CPUs in per-CPU maps; nil when there is none.
  public func lookup(_ key: [UInt8]) throws(MoontraceError) -> [UInt8]? {
    try check(key)
    var result: Int32 = 0
    let value = [UInt8](unsafeUninitializedCapacity: wholeValueSize) { buffer, count in
      result = MapOperations.lookup(descriptor, key, buffer.baseAddress)
      count = result == 0 ? buffer.count : 0
    }
    if result == -ENOENT { return nil }
    try check(result, "can't be read")
    return value
  }

  /// Creates or replaces an entry.
  public func update(_ key: [UInt8], to value: [UInt8]) throws(MoontraceError) {
    try check(key)
    let size = wholeValueSize
    guard value.count == size else { throw failure("takes values of \(size) bytes, not \(value.count)") }
    let result = MapOperations.update(descriptor, key, value)
    if result == -E2BIG { throw failure("is full: it has \(definition.maxEntries) entries") }
    try check(result, "can't be written")
  }

  /// Deletes an entry; whether there was one.
  @discardableResult
  public func remove(_ key: [UInt8]) throws(MoontraceError) -> Bool {
    try check(key)
    let result = MapOperations.remove(descriptor, key)
    if result == -ENOENT { return false }
    try check(result, "can't be deleted from")
    return true
  }

  /// Deletes an entry of a hash; its value, of all CPUs in per-CPU maps, or nil when there was none.
  public func take(_ key: [UInt8]) throws(MoontraceError) -> [UInt8]? {
    try check(key)
    var result: Int32 = 0
    let value = [UInt8](unsafeUninitializedCapacity: wholeValueSize) { buffer, count in
      result = MapOperations.take(descriptor, key, buffer.baseAddress)
      count = result == 0 ? buffer.count : 0
    }
    switch result {
    case -ENOENT: return nil
    // Hashes before Linux 5.14; 524 is the kernel's own ENOTSUPP.
    case -EINVAL, -ENOTSUP, -524:
      let value = try lookup(key)
      return try remove(key) ? value : nil
    default:
      try check(result, "can't be deleted from")
      return value
    }
  }

  private func check(_ key: [UInt8]) throws(MoontraceError) {
    if key.count != definition.keySize { throw failure("takes keys of \(definition.keySize) bytes, not \(key.count)") }
  }

  func check(_ result: Int32, _ problem: String) throws(MoontraceError) {
    if result < 0 { throw KernelFailure(number: -result).error("map '\(definition.name)' \(problem)") }
  }

  private func failure(_ problem: String) -> MoontraceError {
    MoontraceError(.scriptFailed, "map '\(definition.name)' \(problem)")
  }
}

extension KernelMap.Definition {
  /// Letters, digits and underscores, at most 15 (`BPF_OBJ_NAME_LEN`).
  var kernelName: String {
    let bytes = name.utf8.prefix(15).map { byte -> UInt8 in
      let isKept = (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20)
      return isKept ? byte : UInt8(ascii: "_")
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
