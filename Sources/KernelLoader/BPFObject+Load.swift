import BPFAssembly
import BTF
import CLibbpf
import Glibc
import Support

extension BPFObject {
  /// Puts maps and programs into the kernel.
  ///
  /// Programs that send events are instrumented on the way so that `BPFProgram.lostEvents` counts what they could not
  /// send. Ring buffers without a size get `RingSize.standard`.
  /// - Throws: an error that names the program or map, the cause and, for a program that the verifier rejects, the source
  ///   line; its `detail` is the whole log. `.notPermitted` and `.unsupported` when the system is to blame.
  public func load() throws(MoontraceError) {
    try handle.requireUnloaded("load")
    try sizeMaps()
    prepareOperations()
    try instrument()
    do throws(KernelFailure) {
      try checkLibbpf { [handle] in ProbeHandler.loading(self) { bpf_object__load(handle.pointer) } }
    } catch {
      throw LoadFailure(object: self, failure: error).error
    }
    handle.markLoaded()
    for program in programs { program.releaseDebugInfo() }
    countLosses()
  }

  /// Maps whose definitions leave the size to user space, as libbpf's tools do, get one.
  private func sizeMaps() throws(MoontraceError) {
    for map in maps {
      switch map.shape {
      case .ringBuffer: try map.setMaxEntries(map.maxEntries == 0 ? RingSize.standard : map.maxEntries)
      case .hash where map.maxEntries == 0: try map.setMaxEntries(BPFMap.standardEntries)
      case .stackTrace: try map.sizeStacks()
      default: break
      }
    }
  }

  /// Rewrites the programs that send events. Their counters are in a map of our own, made before the programs.
  private func instrument() throws(MoontraceError) {
    let senders = programs.filter { $0.isAutoloaded && $0.sendsEvents }
    if senders.isEmpty { return }
    losses = try? MappedValue(name: "moontrace_lost", size: senders.count * 8)
    for (index, program) in senders.enumerated() {
      let original = BPFProgram.instructions(program.pointer)
      guard let counters = losses?.descriptor else {
        program.uncountedOutputs = LossInstrumentation.outputCalls(in: original).count
        continue
      }
      let counter = LossInstrumentation.Counter(map: counters, offset: Int32(index * 8))
      try program.replaceInstructions(LossInstrumentation(original, counter: counter))
    }
  }

  private func countLosses() {
    let senders = programs.filter { $0.instrumentation != nil }
    for (index, program) in senders.enumerated() {
      program.lossCounter = { [weak self] in self?.losses?.counter(index) ?? 0 }
    }
  }
}

extension BPFProgram {
  /// Whether its own code calls a helper that sends an event and does not count itself what is lost.
  var sendsEvents: Bool { probe == nil && helperIDs.contains(where: Helper.isOutput) }

  /// Gives libbpf the rewritten program. It appends subprograms behind it and relocates the original part only
  /// (`bpf_object__reloc_code` in libbpf 1.1 walks the instruction count that the ELF section had).
  func replaceInstructions(_ rewritten: LossInstrumentation) throws(MoontraceError) {
    var instructions = rewritten.instructions
    let pointer = self.pointer
    do throws(KernelFailure) {
      try checkLibbpf {
        instructions.withUnsafeMutableBytes {
          bpf_program__set_insns(pointer, $0.baseAddress?.assumingMemoryBound(to: bpf_insn.self), $0.count / 8)
        }
      }
    } catch {
      throw error.error("\(handle.name): \(subject)")
    }
    instrumentation = rewritten
    uncountedOutputs = rewritten.uncounted
  }
}
