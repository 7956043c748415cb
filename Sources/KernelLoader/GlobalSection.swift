import CLibbpf
import Glibc
import Support

/// The memory behind one of an object's global-variable sections (`.rodata`, `.data`, `.bss` and their kin).
///
/// Before the load it is libbpf's initial image; afterwards `.data` and `.bss` are the kernel's own pages.
final class GlobalSection {
  let name: String
  private unowned let handle: ObjectHandle
  private let map: OpaquePointer
  private var mapped: UnsafeMutableRawBufferPointer?

  init(name: String, handle: ObjectHandle, map: OpaquePointer) {
    self.name = name
    self.handle = handle
    self.map = map
    handle.register(self)
  }

  /// Programs were verified with these values as constants: they can't change after the load.
  var isReadOnly: Bool { name.hasPrefix(".rodata") }

  /// The section's bytes, valid until the object is closed or loaded.
  func bytes(of variable: String, forWriting: Bool) throws(MoontraceError) -> UnsafeMutableRawBufferPointer {
    try handle.requireOpen("global '\(variable)'")
    if handle.isLoaded, !isReadOnly { return try kernelPages(variable) }
    if handle.isLoaded, forWriting {
      throw MoontraceError(
        .usage, "\(handle.name): global '\(variable)' is constant (in \(name)) once the object is loaded",
        remedy: "set it before the load, or declare it without const")
    }
    var size = 0
    guard let initial = bpf_map__initial_value(map, &size) else {
      throw MoontraceError(.scriptFailed, "\(handle.name): global '\(variable)': section \(name) has no initial image")
    }
    return UnsafeMutableRawBufferPointer(start: UnsafeMutableRawPointer(mutating: initial), count: size)
  }

  private func kernelPages(_ variable: String) throws(MoontraceError) -> UnsafeMutableRawBufferPointer {
    if let mapped { return mapped }
    let page = Int(getpagesize())
    let length = (Int(bpf_map__value_size(map)) + page - 1) / page * page
    let address = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0)
    guard let address, address != MAP_FAILED else {
      throw MoontraceError(
        .unsupported, "\(handle.name): global '\(variable)': can't map section \(name): \(errnoText(errno))",
        remedy: "set it before the load; kernels before 5.5 can't share globals")
    }
    let pages = UnsafeMutableRawBufferPointer(start: address, count: length)
    mapped = pages
    return pages
  }

  func unmap() {
    if let mapped { munmap(mapped.baseAddress, mapped.count) }
    mapped = nil
  }
}
