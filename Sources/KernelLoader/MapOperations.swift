import BTF
import CLibbpf
import Glibc
import Support

/// The kernel's operations on maps as C functions, for consumers in C. Each answers 0 or a negative errno.
public enum MapOperations {
  public typealias Lookup = @convention(c) (Int32, UnsafeRawPointer?, UnsafeMutableRawPointer?) -> Int32
  public typealias Update = @convention(c) (Int32, UnsafeRawPointer?, UnsafeRawPointer?) -> Int32
  public typealias Remove = @convention(c) (Int32, UnsafeRawPointer?) -> Int32
  public typealias Batch =
    @convention(c) (
      Int32, Bool, UnsafeRawPointer?, UnsafeMutableRawPointer?, UnsafeMutableRawPointer?, UnsafeMutableRawPointer?,
      UnsafeMutablePointer<UInt32>?
    ) -> Int32

  /// (fd, key, value): copies the value out. A queue's key is NULL: peeks.
  public static let lookup: Lookup = { map, key, value in bpf_map_lookup_elem(map, key, value) }
  /// (fd, key, value): creates or replaces. A queue's key is NULL: pushes.
  public static let update: Update = { map, key, value in bpf_map_update_elem(map, key, value, UInt64(BPF_ANY)) }
  /// (fd, key)
  public static let remove: Remove = { map, key in bpf_map_delete_elem(map, key) }
  /// (fd, key or NULL, next): -ENOENT after the last.
  public static let nextKey: Lookup = { map, key, next in bpf_map_get_next_key(map, key, next) }
  /// (fd, key, value): looks up and deletes. A queue's key is NULL: pops.
  public static let take: Lookup = { map, key, value in bpf_map_lookup_and_delete_elem(map, key, value) }

  /// (fd, take, in cursor or NULL, out cursor, keys, values, count): reads up to `count` entries and sets `count` to how
  /// many came; -ENOENT with the last ones; `take` deletes them as well. Kernels or maps without batches: -EINVAL or
  /// -ENOTSUPP (524); walk the keys then.
  public static let batch: Batch = { map, take, input, output, keys, values, count in
    var options = bpf_map_batch_opts()
    options.sz = optionsSize(upTo: \bpf_map_batch_opts.flags)
    let start = UnsafeMutableRawPointer(mutating: input)
    if take { return bpf_map_lookup_and_delete_batch(map, start, output, keys, values, count, &options) }
    return bpf_map_lookup_batch(map, start, output, keys, values, count, &options)
  }

  /// The number of CPUs that the kernel could have: the number of slots in a per-CPU value.
  public static let possibleCPUs: Int = max(1, Int(LibbpfLog.capture { libbpf_num_possible_cpus() }.result))
}

/// A map opened by its id, such as the inner maps that a map of maps holds.
public struct OpenMap: ~Copyable {
  /// Closed when this value goes.
  public let descriptor: OwnedDescriptor
  public let name: String
  public let type: MapType
  public let keySize: Int
  public let valueSize: Int
  public let maxEntries: Int
  /// How keys and values read; nil when the kernel has no types for the map.
  public let key: ValueLayout?
  public let value: ValueLayout?

  /// Opens map `id`. Throws when it is gone or this process may not open it.
  public init(id: UInt32) throws(MoontraceError) {
    let opened: Int32
    do throws(KernelFailure) {
      opened = try checkLibbpf { bpf_map_get_fd_by_id(id) }
    } catch {
      if error.number == ENOENT { throw MoontraceError(.scriptFailed, "map with id \(id) no longer exists") }
      throw error.error("map with id \(id)")
    }
    let descriptor = OwnedDescriptor(opened)
    var info = bpf_map_info()
    var length = UInt32(MemoryLayout<bpf_map_info>.size)
    do throws(KernelFailure) {
      try checkLibbpf { bpf_obj_get_info_by_fd(opened, &info, &length) }
    } catch {
      throw error.error("map with id \(id)")
    }
    self.descriptor = descriptor
    name = withUnsafeBytes(of: info.name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    type = MapType(rawValue: info.type)
    keySize = Int(info.key_size)
    valueSize = Int(info.value_size)
    maxEntries = Int(info.max_entries)
    let types = info.btf_id == 0 ? nil : Self.types(info.btf_id)
    key = Self.layout(info.btf_key_type_id, types)
    value = Self.layout(info.btf_value_type_id, types)
  }

  private static func types(_ id: UInt32) -> TypeGraph? {
    guard let btf = LibbpfLog.capture({ btf__load_from_kernel_by_id(id) }).result else { return nil }
    defer { btf__free(btf) }
    var size: UInt32 = 0
    guard let data = btf__raw_data(btf, &size) else { return nil }
    return try? TypeGraph(blob: Array(UnsafeRawBufferPointer(start: data, count: Int(size))), name: "BTF \(id)")
  }

  private static func layout(_ id: UInt32, _ types: TypeGraph?) -> ValueLayout? {
    id == 0 ? nil : try? types?.layout(of: id)
  }
}
