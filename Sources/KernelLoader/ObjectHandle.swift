import CLibbpf
import Support

/// Owns libbpf's object; programs, maps and globals share it, so that using one of them after `close` is an error
/// instead of a dangling pointer.
final class ObjectHandle {
  /// The file name that errors start with.
  let name: String
  private(set) var pointer: OpaquePointer?
  private(set) var isLoaded = false
  private var links: [WeakLink] = []
  private var globalSections: [GlobalSection] = []

  private struct WeakLink {
    weak var link: Link?
  }

  init(name: String, pointer: OpaquePointer) {
    self.name = name
    self.pointer = pointer
  }

  deinit {
    close()
  }

  /// Throws unless the object is open; `subject` says what was to be used.
  func requireOpen(_ subject: String) throws(MoontraceError) {
    if pointer == nil { throw MoontraceError(.usage, "\(name): \(subject): the object is closed") }
  }

  /// Throws unless the object is open and in the kernel.
  func requireLoaded(_ subject: String) throws(MoontraceError) {
    try requireOpen(subject)
    if isLoaded { return }
    throw MoontraceError(.usage, "\(name): \(subject): not loaded yet", remedy: "load the object first")
  }

  /// Throws when it is too late to configure.
  func requireUnloaded(_ subject: String) throws(MoontraceError) {
    try requireOpen(subject)
    if isLoaded {
      throw MoontraceError(.usage, "\(name): \(subject): already loaded", remedy: "set it before the object is loaded")
    }
  }

  func markLoaded() {
    isLoaded = true
  }

  func register(_ section: GlobalSection) {
    globalSections.append(section)
  }

  /// USDT links point into the object (libbpf's usdt.c), so `close` detaches every link first.
  func register(_ link: Link) {
    links.removeAll { $0.link == nil }
    links.append(WeakLink(link: link))
  }

  func close() {
    guard let pointer else { return }
    for entry in links { entry.link?.detach() }
    links = []
    for section in globalSections { section.unmap() }
    bpf_object__close(pointer)
    self.pointer = nil
  }
}
