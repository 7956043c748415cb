import BTF
import CLibbpf
import Support

/// A map of a BPF object: its definition, and once the object is loaded its descriptor.
///
/// ```swift
/// let counts = object.maps.first { $0.name == "counts" }
/// try counts?.setMaxEntries(1024)
/// ```
public final class BPFMap {
  public let name: String
  public let type: MapType
  /// Bytes of a key; 0 for ring buffers, queues and stacks.
  public let keySize: Int
  /// How keys read; nil when the object's BTF does not say.
  public let key: ValueLayout?
  /// How values read. For ring and perf buffers that declare `__type(value, struct event)`: how events read.
  public let value: ValueLayout?
  /// Whether libbpf made it for a section of globals.
  public let isInternal: Bool
  let handle: ObjectHandle
  let pointer: OpaquePointer

  init(pointer: OpaquePointer, handle: ObjectHandle, types: TypeGraph) {
    self.pointer = pointer
    self.handle = handle
    name = bpf_map__name(pointer).map { String(cString: $0) } ?? ""
    type = MapType(bpf_map__type(pointer))
    isInternal = bpf_map__is_internal(pointer)
    keySize = Int(bpf_map__key_size(pointer))
    key = BPFMap.layout(bpf_map__btf_key_type_id(pointer), types)
    value = BPFMap.layout(bpf_map__btf_value_type_id(pointer), types)
    // An object must leave nothing behind: no pins, whatever its map definitions ask for.
    bpf_map__set_pin_path(pointer, nil)
    forgetEventType()
  }

  private static func layout(_ id: UInt32, _ types: TypeGraph) -> ValueLayout? {
    id == 0 ? nil : try? types.layout(of: id)
  }

  /// The kernel takes ring buffers without value sizes and perf buffers with descriptors only; what `__type(value, …)`
  /// declares is for `value` here.
  private func forgetEventType() {
    switch type {
    case .ringBuffer:
      bpf_map__set_value_size(pointer, 0)
      bpf_map__set_key_size(pointer, 0)
    case .perfEventArray:
      bpf_map__set_value_size(pointer, 4)
      bpf_map__set_key_size(pointer, 4)
    default: break
    }
  }

  public var shape: MapShape { type.shape }
  /// Whether a value is one slot for each possible CPU (`MapOperations.possibleCPUs`), each rounded up to 8 bytes.
  public var isPerCPU: Bool { type.isPerCPU }
  /// Bytes of one value (of one CPU's slot in per-CPU maps), as the kernel has it.
  public var valueSize: Int { handle.pointer == nil ? 0 : Int(bpf_map__value_size(pointer)) }
  /// Entries; for a ring buffer, bytes.
  public var maxEntries: Int { handle.pointer == nil ? 0 : Int(bpf_map__max_entries(pointer)) }
  /// `BPF_F_…` of the map's definition.
  public var flags: UInt32 { handle.pointer == nil ? 0 : bpf_map__map_flags(pointer) }
  /// The map's descriptor, owned by the object; -1 before the load and after `close`.
  public var descriptor: Int32 {
    handle.isLoaded && handle.pointer != nil ? max(bpf_map__fd(pointer), -1) : -1
  }

  /// What it asks of the kernel.
  var definition: KernelMap.Definition {
    KernelMap.Definition(
      name: name, type: type, keySize: keySize, valueSize: valueSize, maxEntries: maxEntries, flags: flags)
  }

  /// Sets the number of entries (for a ring buffer: bytes, rounded up to a size the kernel takes). Before the load only.
  public func setMaxEntries(_ count: Int) throws(MoontraceError) {
    try handle.requireUnloaded("map '\(name)'")
    let wanted = type == .ringBuffer ? RingSize.rounded(count) : count
    guard wanted > 0, let entries = UInt32(exactly: wanted) else {
      throw MoontraceError(.usage, "\(handle.name): map '\(name)' can't have \(count) entries")
    }
    bpf_map__set_max_entries(pointer, entries)
  }

  /// Entries of maps whose definitions say nothing.
  static let standardEntries = 10240

  /// Gives a map of stacks the sizes that its definition leaves out: of stacks as deep as the kernel takes them.
  func sizeStacks() throws(MoontraceError) {
    if maxEntries == 0 { try setMaxEntries(Self.standardEntries) }
    if valueSize == 0 { bpf_map__set_value_size(pointer, UInt32(8 * Self.deepestStack)) }
  }

  /// Frames of a stack: `kernel.perf_event_max_stack` (Documentation/admin-guide/sysctl/kernel.rst), 127 unless set.
  private static let deepestStack = SystemFacts.setting("kernel/perf_event_max_stack").flatMap { Int($0) } ?? 127
}
