import CLibbpf
import Glibc
import Support

// Attachments to places in programs and libraries.
extension Attachment {
  func userProbe(
    _ binary: String, _ location: AttachSpec.UserLocation, _ isReturn: Bool
  ) throws(MoontraceError) -> Link.Part {
    try require(KernelFeatures.uprobes)
    let path = try BinaryFinder.path(of: binary)
    let offset = try fileOffset(path, location)
    var options = bpf_uprobe_opts()
    options.sz = optionsSize(upTo: \bpf_uprobe_opts.retprobe)
    options.retprobe = isReturn
    if case .probe(let probe) = location { options.ref_ctr_offset = Int(clamping: probe.semaphore) }
    return try libbpf(explain: { missingProcess($0) }) {
      bpf_program__attach_uprobe_opts(program.pointer, pid ?? -1, path, offset, &options)
    }
  }

  private func fileOffset(_ path: String, _ location: AttachSpec.UserLocation) throws(MoontraceError) -> Int {
    switch location {
    case .fileOffset(let offset): return Int(clamping: offset)
    case .probe(let probe): return Int(clamping: probe.offset)
    case .symbol(let name, let offset):
      return Int(clamping: try UserSymbolPlace(path: path).fileOffset(of: name, plus: offset))
    }
  }

  func usdt(_ binary: String, _ provider: String, _ name: String) throws(MoontraceError) -> Link.Part {
    try require(KernelFeatures.uprobes)
    let path = try BinaryFinder.path(of: binary)
    _ = try USDTNotes(path: path).places(provider: provider, name: name, path: path)
    return try libbpf(explain: { missingProcess($0) ?? missingMaps($0) }) {
      bpf_program__attach_usdt(program.pointer, pid ?? -1, path, provider, name, nil)
    }
  }

  private func missingProcess(_ failure: KernelFailure) -> MoontraceError? {
    guard let pid, failure.number == ESRCH, kill(pid, 0) != 0, errno == ESRCH else { return nil }
    return MoontraceError(.usage, "there is no process \(pid)")
  }

  private func missingMaps(_ failure: KernelFailure) -> MoontraceError? {
    guard failure.lines.contains(where: { $0.contains("did you forget to include bpf/usdt.bpf.h") }) else { return nil }
    return MoontraceError(
      .scriptFailed, "its object has no USDT support", remedy: "include <bpf/usdt.bpf.h> in its source",
      detail: failure.detail)
  }
}
