import BTF
import CLuaBridge
import EventStream
import Glibc
import KernelLoader
import Support

/// What the Lua side needs to know of a map, at an address that stays.
final class MapBinding {
  let config: UnsafeMutablePointer<mt_map_config>
  private let name: UnsafeMutablePointer<CChar>
  private let key: DecodePlan?
  private let value: DecodePlan?

  convenience init(name: String, type: MapType, keySize: Int, key: ValueLayout?, value: ValueLayout?) {
    let plans = (key.map { DecodePlan(value: $0) }, value.map { DecodePlan(value: $0) })
    self.init(name: name, type: type, keySize: keySize, key: plans.0, value: plans.1)
  }

  init(name: String, type: MapType, keySize: Int, key: DecodePlan?, value: DecodePlan?) {
    self.name = strdup(name)
    self.key = key
    self.value = value
    config = .allocate(capacity: 1)
    config.initialize(to: mt_map_config())
    config.pointee.name = UnsafePointer(self.name)
    config.pointee.fd = -1
    config.pointee.shape = type.shape.core
    config.pointee.per_cpu = type.isPerCPU
    config.pointee.cpus = UInt32(MapOperations.possibleCPUs)
    config.pointee.key_size = UInt32(keySize)
    config.pointee.key = self.key.map { $0.field }
    config.pointee.value = self.value.map { $0.field }
    config.pointee.operations = Self.operations
  }

  deinit {
    config.deallocate()
    free(name)
  }

  /// Takes over what changes when the map is made or closed.
  func refresh(descriptor: Int32, valueSize: Int, maxEntries: Int) {
    config.pointee.fd = descriptor
    config.pointee.value_size = UInt32(valueSize)
    config.pointee.max_entries = UInt32(maxEntries)
  }

  /// Lets Lua use a map that is not made: it reads as empty, and what is written is forgotten.
  func pretend(valueSize: Int, maxEntries: Int) {
    refresh(descriptor: 0, valueSize: valueSize, maxEntries: maxEntries)
    config.pointee.operations = Self.idleOperations
  }

  // Constant after their first use, and never freed.
  nonisolated(unsafe) private static let operations = allocate(
    mt_map_operations(
      lookup: MapOperations.lookup, update: MapOperations.update, remove: MapOperations.remove,
      next_key: MapOperations.nextKey, take: MapOperations.take, batch: MapOperations.batch,
      open_inner: openInnerMap, close_inner: closeInnerMap))

  // The same.
  nonisolated(unsafe) private static let idleOperations = allocate(
    mt_map_operations(
      lookup: { _, _, _ in -ENOENT }, update: { _, _, _ in 0 }, remove: { _, _ in -ENOENT },
      next_key: { _, _, _ in -ENOENT }, take: { _, _, _ in -ENOENT }, batch: nil, open_inner: openInnerMap,
      close_inner: closeInnerMap))

  private static func allocate(_ operations: mt_map_operations) -> UnsafePointer<mt_map_operations> {
    let place = UnsafeMutablePointer<mt_map_operations>.allocate(capacity: 1)
    place.initialize(to: operations)
    return UnsafePointer(place)
  }
}

extension MapShape {
  fileprivate var core: mt_map_shape {
    switch self {
    case .hash: MT_MAP_HASH
    case .array: MT_MAP_ARRAY
    case .lpmTrie: MT_MAP_LPM_TRIE
    case .queue: MT_MAP_QUEUE
    case .stackTrace: MT_MAP_STACKS
    case .mapOfMaps: MT_MAP_OF_MAPS
    case .ringBuffer, .perfEventArray, .opaque: MT_MAP_OPAQUE
    }
  }
}

// MARK: Inner maps

/// An inner map of a map of maps, open for Lua.
private final class InnerMap {
  let binding: MapBinding
  private let map: OpenMap

  init(id: UInt32) throws(MoontraceError) {
    map = try OpenMap(id: id)
    binding = MapBinding(name: map.name, type: map.type, keySize: map.keySize, key: map.key, value: map.value)
    binding.refresh(descriptor: map.descriptor.number, valueSize: map.valueSize, maxEntries: map.maxEntries)
  }
}

/// Opens inner map `id` into a config of Lua's, which owns it until `closeInnerMap`.
private let openInnerMap: @convention(c) (UInt32, UnsafeMutablePointer<mt_map_config>?) -> Int32 = { id, config in
  guard let config, let inner = try? InnerMap(id: id) else { return -ENOENT }
  config.pointee = inner.binding.config.pointee
  config.pointee.read_only = true
  config.pointee.owner = Unmanaged.passRetained(inner).toOpaque()
  return 0
}

private let closeInnerMap: @convention(c) (UnsafeMutablePointer<mt_map_config>?) -> Void = { config in
  guard let owner = config?.pointee.owner else { return }
  Unmanaged<InnerMap>.fromOpaque(owner).release()
  config?.pointee.owner = nil
  config?.pointee.fd = -1
}
