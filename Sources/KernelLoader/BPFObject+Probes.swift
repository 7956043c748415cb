import BPFAssembly
import CLibbpf
import Support

// Objects that are made of programs assembled in this process.
extension BPFObject {
  /// Makes an object of assembled programs; it is loaded, attached and closed like one that a C compiler made.
  ///
  /// fentry, fexit and iterator programs with several targets become one kernel program for each target.
  /// - Parameter name: what errors call it: the script's name.
  /// - Throws: `.unsupported` when the kernel has no such target for a fentry, fexit or iterator program; `.usage` for
  ///   SPECs that are not for probes.
  public convenience init(programs: [ProbeProgram], name: String) throws(MoontraceError) {
    guard ProbeHandler.isRegistered else {
      throw MoontraceError(.scriptFailed, "\(name): libbpf takes no handler for programs")
    }
    let parts = programs.enumerated().flatMap { index, probe in probe.parts().map { (index: index, probe: $0) } }
    let names = parts.indices.map { Self.name(of: parts[$0].probe, number: $0) }
    let image = ObjectImage(
      programs: names.map { .init(name: $0, section: ProbeHandler.section, code: ProbeHandler.standIn) })
    try self.init(bytes: try image.bytes(), name: name)
    let types = try ProgramTypes()
    for (part, name) in zip(parts, names) {
      try program(name)?.become(part.probe, index: part.index, types)
    }
  }

  /// What the kernel shows: the target's name (its kind's, if that is a number) in 15 characters, with a number that
  /// makes it unlike the others.
  private static func name(of probe: ProbeProgram, number: Int) -> String {
    let parts = (probe.targets.first?.description ?? "probe").split(separator: ":")
    let text = parts.last { $0.first?.isNumber == false && !$0.contains("/") } ?? "probe"
    let suffix = "_\(number)"
    let letters = text.utf8.prefix(15 - suffix.utf8.count).map { byte -> UInt8 in
      let isKept = (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20)
      return isKept ? byte : UInt8(ascii: "_")
    }
    return String(decoding: letters, as: UTF8.self) + suffix
  }

  /// What attaching a probe came to.
  public struct ProbeAttachment {
    public var links: [Link]
    /// The targets that could not be attached to, when others could.
    public var refused: [MoontraceError]
  }

  /// Attaches the program at `index` in what the object was made of to all of its targets, in order.
  ///
  /// - Parameter pid: as in `BPFProgram.attach`.
  /// - Throws: the first target's error when none could be attached to.
  public func attach(probe index: Int, pid: Int32? = nil) throws(MoontraceError) -> ProbeAttachment {
    var result = ProbeAttachment(links: [], refused: [])
    for program in programs where program.probeIndex == index {
      guard let probe = program.probe else { continue }
      if probe.isMultiple {
        result.links.append(try program.attachMultiple(probe.targets))
        continue
      }
      for target in probe.targets {
        do throws(MoontraceError) {
          result.links.append(try program.attach(to: target, pid: pid))
        } catch {
          result.refused.append(error)
        }
      }
    }
    if result.links.isEmpty, let error = result.refused.first { throw error }
    return result
  }

  /// The kernel programs of the program at `index` in what the object was made of.
  public func programs(ofProbe index: Int) -> [BPFProgram] {
    programs.filter { $0.probeIndex == index }
  }
}

extension BPFProgram {
  /// Takes over an assembled program before the load.
  fileprivate func become(_ probe: ProbeProgram, index: Int, _ types: ProgramTypes) throws(MoontraceError) {
    guard let kind = ProbeKind(of: probe) else {
      throw MoontraceError(.usage, "'\(probe.spec)' is no place for a probe", location: probe.location)
    }
    bpf_program__set_type(pointer, kind.type)
    bpf_program__set_expected_attach_type(pointer, kind.attachType)
    adopt(probe, index: index, section: kind.section, ProgramDebugInfo(of: probe, name: name, types: types))
    if let target = probe.targets.first { try prepare(for: target) }
  }

  /// Attaches a `kprobe.multi` program to functions by name.
  fileprivate func attachMultiple(_ targets: [AttachSpec]) throws(MoontraceError) -> Link {
    try handle.requireLoaded(subject)
    let part: Link.Part
    do throws(MoontraceError) {
      part = try Attachment(program: self, spec: targets[0], pid: nil).kernelProbes(targets)
    } catch {
      throw located(error)
    }
    return Link(program: self, target: "\(probe?.spec ?? section) (\(targets.count) functions)", parts: [part])
  }
}
