import CLibbpf
import Glibc
import Support

/// Says why the kernel did not create a map: it answers EINVAL for nearly everything.
struct MapRefusal {
  private let map: KernelMap.Definition
  private let object: String?
  private let failure: KernelFailure

  /// - Parameter object: the file that defines the map, when one does.
  init(_ map: KernelMap.Definition, in object: String?, failure: KernelFailure) {
    self.map = map
    self.object = object
    self.failure = failure
  }

  var error: MoontraceError {
    let place = object.map { "\($0): " } ?? ""
    let subject = "\(place)map '\(map.name)' (\(sizes))"
    if failure.number == EPERM { return failure.permissionError(subject) }
    if isUnknownType {
      return MoontraceError(
        .unsupported, "\(subject): this kernel does not know map type \(map.type.rawValue) (\(map.type))",
        detail: failure.detail)
    }
    return MoontraceError(
      .scriptFailed, "\(subject): refused by the kernel: \(reason ?? failure.text)", detail: failure.detail)
  }

  private var sizes: String {
    if map.type == .ringBuffer { return "\(map.type) of \(map.maxEntries) bytes" }
    return "\(map.type), key \(map.keySize) bytes, value \(map.valueSize) bytes, \(map.maxEntries) entries"
  }

  /// The probe answers 0 when the kernel does not know the type, and below 0 for types that libbpf does not know.
  private var isUnknownType: Bool {
    guard map.type.isKnown else { return failure.number == EINVAL }
    return LibbpfLog.capture { libbpf_probe_bpf_map_type(bpf_map_type(rawValue: map.type.rawValue), nil) }.result == 0
  }

  /// The first rule of the kernel's `map_alloc_check` functions that the definition breaks (kernel/bpf/*map*.c).
  private var reason: String? {
    if map.maxEntries == 0 { return "max_entries is 0" }
    switch map.type.shape {
    case .hash, .lpmTrie: if map.keySize == 0 { return "its key has no size" }
    case .array: if map.keySize != 4 { return "an array's key is 4 bytes (__u32), not \(map.keySize)" }
    case .queue: if map.keySize != 0 { return "a queue or stack has no key" }
    case .stackTrace: if map.valueSize % 8 != 0 { return "its value must be a list of 8-byte addresses" }
    default: break
    }
    if map.valueSize == 0, map.type.shape != .ringBuffer { return "its value has no size" }
    if map.type.shape == .lpmTrie { return trieReason }
    if map.type.isPerCPU, map.valueSize > 32 << 10 { return "a per-CPU value can't be larger than 32 KiB" }
    return failure.number == E2BIG || failure.number == ENOMEM ? "it is too large" : nil
  }

  private var trieReason: String? {
    if map.flags & UInt32(BPF_F_NO_PREALLOC) == 0 { return "an LPM trie needs map_flags BPF_F_NO_PREALLOC" }
    return map.keySize < 5 || map.keySize > 260 ? "an LPM trie's key is a __u32 prefix length and 1 to 256 bytes" : nil
  }
}
