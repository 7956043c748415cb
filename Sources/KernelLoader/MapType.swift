import CLibbpf

/// A kernel map type by its number (`enum bpf_map_type` in linux/bpf.h).
public struct MapType: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  public let rawValue: UInt32

  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  init(_ type: bpf_map_type) {
    self.init(rawValue: type.rawValue)
  }

  public static let hash = MapType(BPF_MAP_TYPE_HASH)
  public static let array = MapType(BPF_MAP_TYPE_ARRAY)
  public static let lruHash = MapType(BPF_MAP_TYPE_LRU_HASH)
  public static let perCPUHash = MapType(BPF_MAP_TYPE_PERCPU_HASH)
  public static let perCPUArray = MapType(BPF_MAP_TYPE_PERCPU_ARRAY)
  public static let lruPerCPUHash = MapType(BPF_MAP_TYPE_LRU_PERCPU_HASH)
  public static let perfEventArray = MapType(BPF_MAP_TYPE_PERF_EVENT_ARRAY)
  public static let ringBuffer = MapType(BPF_MAP_TYPE_RINGBUF)
  public static let stackTrace = MapType(BPF_MAP_TYPE_STACK_TRACE)
  public static let cgroupArray = MapType(BPF_MAP_TYPE_CGROUP_ARRAY)
  public static let structOps = MapType(BPF_MAP_TYPE_STRUCT_OPS)
  public static let lpmTrie = MapType(BPF_MAP_TYPE_LPM_TRIE)

  /// Whether libbpf has a name for it.
  var isKnown: Bool { libbpf_bpf_map_type_str(bpf_map_type(rawValue: rawValue)) != nil }

  /// libbpf's name for it (`ringbuf`, `percpu_hash`), or `type N`.
  public var description: String {
    libbpf_bpf_map_type_str(bpf_map_type(rawValue: rawValue)).map { String(cString: $0) } ?? "type \(rawValue)"
  }

  /// Whether a value is one slot for each possible CPU, each rounded up to eight bytes.
  public var isPerCPU: Bool {
    self == .perCPUHash || self == .perCPUArray || self == .lruPerCPUHash
  }

  /// What user space can do with such a map.
  public var shape: MapShape {
    switch bpf_map_type(rawValue: rawValue) {
    case BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_LRU_HASH, BPF_MAP_TYPE_PERCPU_HASH, BPF_MAP_TYPE_LRU_PERCPU_HASH: .hash
    case BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_PERCPU_ARRAY: .array
    case BPF_MAP_TYPE_LPM_TRIE: .lpmTrie
    case BPF_MAP_TYPE_QUEUE, BPF_MAP_TYPE_STACK: .queue
    case BPF_MAP_TYPE_STACK_TRACE: .stackTrace
    case BPF_MAP_TYPE_ARRAY_OF_MAPS, BPF_MAP_TYPE_HASH_OF_MAPS: .mapOfMaps
    case BPF_MAP_TYPE_RINGBUF: .ringBuffer
    case BPF_MAP_TYPE_PERF_EVENT_ARRAY: .perfEventArray
    default: .opaque
    }
  }
}

/// Map types grouped by what user space can do with them.
public enum MapShape: Sendable {
  /// Keys that come and go; LRU included.
  case hash
  /// Every index below `maxEntries` always exists.
  case array
  case lpmTrie
  /// Push, pop and peek, no keys: queues and stacks.
  case queue
  /// A stack id gives a list of addresses.
  case stackTrace
  /// Values are ids of inner maps.
  case mapOfMaps
  case ringBuffer
  case perfEventArray
  /// Nothing to read or write from here.
  case opaque
}
