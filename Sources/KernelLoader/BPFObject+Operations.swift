import CLibbpf
import Glibc
import Support

// Tables of functions (struct_ops), such as a congestion control of TCP: maps that the kernel calls programs by.
extension BPFObject {
  /// The maps that are tables of functions.
  public var operationMaps: [BPFMap] { maps.filter { $0.type == .structOps } }

  /// Asks for maps that end with the process, where the kernel has them; they are attached by links. Others, once in use,
  /// stay so until someone takes them out.
  func prepareOperations() {
    guard !operationMaps.isEmpty, KernelFeatures.structOpsLinks.isAvailable else { return }
    for map in operationMaps { bpf_map__set_map_flags(map.pointer, map.flags | Self.linked) }
  }

  /// BPF_F_LINK (linux/bpf.h of 6.4).
  private static let linked: UInt32 = 1 << 13
  /// BPF_STRUCT_OPS of `enum bpf_attach_type`.
  private static let attachType = bpf_attach_type(rawValue: 44)

  /// Gives a table of functions to the kernel, which uses it until the link ends.
  ///
  /// - Throws: an error that names the map, `.unsupported` when the kernel has another table of that name.
  public func attach(_ map: BPFMap) throws(MoontraceError) -> Link {
    try handle.requireLoaded("map '\(map.name)'")
    do throws(KernelFailure) {
      let table = try checkLibbpf { bpf_map__attach_struct_ops(map.pointer) }
      guard map.flags & Self.linked != 0 else { return link(map, .libbpf(table)) }
      // The map has its content by now, which is what libbpf's own call was for.
      bpf_link__disconnect(table)
      bpf_link__destroy(table)
      return link(map, .descriptor(try checkLibbpf { bpf_link_create(map.descriptor, 0, Self.attachType, nil) }))
    } catch {
      throw refusal(of: map, error)
    }
  }

  private func link(_ map: BPFMap, _ part: Link.Part) -> Link {
    Link(name: map.name, of: handle, target: "struct_ops:\(map.name)", parts: [part])
  }

  private func refusal(of map: BPFMap, _ failure: KernelFailure) -> MoontraceError {
    let subject = "\(name): struct_ops map '\(map.name)'"
    if failure.number == EEXIST {
      return MoontraceError(
        .unsupported, "\(subject): the kernel has another of that name already", remedy: "give it another name")
    }
    return failure.error("\(subject): the kernel does not take it")
  }
}

extension ELFImage {
  /// The bytes with `.struct_ops.link`, a section that libbpf 1.1 does not know, called as the one that it does; here all
  /// such maps are attached by links where the kernel has them.
  func withOperationsAsOlderLibraries() -> [UInt8] {
    guard section(".struct_ops.link") != nil, section(".struct_ops") == nil else { return bytes }
    var bytes = bytes
    let name = Array(".struct_ops.link\0".utf8)
    // The names of sections, and of the type that says what is in them (3 is SHT_STRTAB). Compilers write three of these.
    for section in sections.filter({ $0.type == 3 || $0.name == ".BTF" }).prefix(4) {
      var rest = section.offset..<section.offset + section.size
      while let place = bytes[rest].firstRange(of: name) {
        bytes[place.lowerBound + ".struct_ops".utf8.count] = 0
        rest = place.upperBound..<rest.upperBound
      }
    }
    return bytes
  }
}
