import CLibbpf
import Glibc
import Support

/// A live attachment of a program; the program stops running there when this is detached or let go of.
///
/// The kernel detaches it too when the process dies, however it dies: nothing is ever pinned.
public final class Link {
  /// What the kernel holds for a link; one SPEC may need several.
  enum Part {
    /// A libbpf link; freed by `bpf_link__destroy`.
    case libbpf(OpaquePointer)
    /// A BPF link made by bpf(2) itself, ended by closing it.
    case descriptor(Int32)
    /// A socket with the program on it, and the socket option that takes it off; closed with the link when it is the link's own.
    case socket(Int32, isOwned: Bool, detach: Int32)
    /// A program on the sockets of a map.
    case socketMap(program: Int32, map: Int32, type: bpf_attach_type)
    /// A filter of the older tc interface.
    case filter(TrafficFilter)
  }

  /// The SPEC that it is attached to.
  public let target: String
  /// The program's name; of a struct_ops map, the map's.
  public let program: String
  /// What the user should know of the place: that it is another than was asked for.
  public let note: String?
  private var parts: [Part]

  convenience init(program: BPFProgram, target: String, parts: [Part], note: String? = nil) {
    self.init(name: program.name, of: program.handle, target: target, parts: parts, note: note)
  }

  /// - Parameter name: what is attached: a program, or a map of functions.
  init(name: String, of handle: ObjectHandle, target: String, parts: [Part], note: String? = nil) {
    program = name
    self.target = target
    self.parts = parts
    self.note = note
    handle.register(self)
  }

  deinit {
    detach()
  }

  /// Whether the program runs only when the link is read (`SEC("iter/task")`).
  public var isIterator: Bool { ["iter:", "iter/", "iter.s/"].contains(where: target.hasPrefix) }

  public var isAttached: Bool { !parts.isEmpty }

  /// Ends the attachment; a second call does nothing. Blocks until the program runs there no more.
  public func detach() {
    for part in parts.reversed() { Self.end(part) }
    parts = []
  }

  /// Runs an iterator once and gives back what it wrote.
  ///
  /// - Throws: `.usage` when the link is not an iterator's.
  public func readIterator() throws(MoontraceError) -> [UInt8] {
    guard case .libbpf(let link)? = parts.first else {
      throw MoontraceError(.usage, "program '\(program)': its iterator is detached")
    }
    do throws(KernelFailure) {
      let output = OwnedDescriptor(try checkLibbpf { bpf_iter_create(bpf_link__fd(link)) })
      return try readAll(output.number)
    } catch {
      throw error.error("program '\(program)': can't run \(target) as an iterator")
    }
  }

  private func readAll(_ descriptor: Int32) throws(KernelFailure) -> [UInt8] {
    do throws(SystemError) {
      return try Support.readAll(descriptor, name: target)
    } catch {
      throw KernelFailure(number: error.errno)
    }
  }

  static func end(_ part: Part) {
    switch part {
    // A process being forked holds copies of all descriptors until it executes, so closing may come too late: the kernel
    // is told first. Links that it can't detach this way (perf events, raw tracepoints) refuse and are closed only.
    case .libbpf(let link):
      let descriptor = bpf_link__fd(link)
      if descriptor > 0 { bpf_link_detach(descriptor) }  // USDT links have none: 0
      _ = LibbpfLog.capture { bpf_link__destroy(link) }
    case .descriptor(let descriptor):
      bpf_link_detach(descriptor)
      close(descriptor)
    case .socket(let socket, let isOwned, let option):
      var unused: Int32 = 0
      setsockopt(socket, SOL_SOCKET, option, &unused, socklen_t(MemoryLayout<Int32>.size))
      if isOwned { close(socket) }
    case .socketMap(let program, let map, let type): bpf_prog_detach2(program, map, type)
    case .filter(let filter): filter.remove()
    }
  }
}

extension Link: CustomStringConvertible {
  /// `program -> SPEC`.
  public var description: String { "\(program) -> \(target)" }
}
