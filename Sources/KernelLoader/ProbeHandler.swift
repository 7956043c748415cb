import BPFAssembly
import CLibbpf
import Glibc

/// Puts assembled instructions in place of the stand-ins that libbpf has opened, at the moment of the load.
///
/// libbpf relocates what comes from an ELF file and refuses the addresses of callbacks without relocations, so it gets
/// to see the instructions only when it is through with that: in the handler that it calls before `BPF_PROG_LOAD`.
enum ProbeHandler {
  /// The section that libbpf hands to this handler.
  static let section = "moontrace"
  /// `r0 = 0; exit`
  static let standIn: [UInt8] = [0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]

  /// Registered once a process.
  static let isRegistered: Bool = {
    var options = libbpf_prog_handler_opts()
    options.sz = optionsSize(upTo: \libbpf_prog_handler_opts.prog_attach_fn)
    options.prog_prepare_load_fn = { program, options, _ in
      guard let program, let options else { return -EINVAL }
      return ProbeHandler.prepare(program, options)
    }
    return libbpf_register_prog_handler(section, BPF_PROG_TYPE_UNSPEC, bpf_attach_type(rawValue: 0), &options) >= 0
  }()

  /// The object that the thread loads, unretained.
  private static let current: pthread_key_t = {
    var key = pthread_key_t()
    pthread_key_create(&key, nil)
    return key
  }()

  /// Runs a load of the object.
  static func loading<Result>(_ object: BPFObject, _ body: () -> Result) -> Result {
    let outer = pthread_getspecific(current)
    pthread_setspecific(current, Unmanaged.passUnretained(object).toOpaque())
    defer { pthread_setspecific(current, outer) }
    return withExtendedLifetime(object, body)
  }

  private static func prepare(_ pointer: OpaquePointer, _ options: UnsafeMutablePointer<bpf_prog_load_opts>) -> Int32 {
    guard let object = pthread_getspecific(current) else { return -EINVAL }
    let programs = Unmanaged<BPFObject>.fromOpaque(object).takeUnretainedValue().programs
    guard let program = programs.first(where: { $0.pointer == pointer }), let probe = program.probe,
      let info = program.debugInfo
    else { return -EINVAL }
    do throws(KernelFailure) {
      describe(info, try info.types.load(), &options.pointee)
    } catch {
      return -error.number
    }
    var instructions = probe.instructions
    return instructions.withUnsafeMutableBytes {
      bpf_program__set_insns(pointer, $0.baseAddress?.assumingMemoryBound(to: bpf_insn.self), $0.count / 8)
    }
  }

  private static func describe(_ info: ProgramDebugInfo, _ types: Int32, _ options: inout bpf_prog_load_opts) {
    options.prog_btf_fd = UInt32(types)
    options.func_info = UnsafeRawPointer(info.functions.baseAddress)
    options.func_info_cnt = UInt32(info.functions.count)
    options.func_info_rec_size = UInt32(MemoryLayout<bpf_func_info>.size)
    options.line_info = UnsafeRawPointer(info.lines.baseAddress)
    options.line_info_cnt = UInt32(info.lines.count)
    options.line_info_rec_size = UInt32(MemoryLayout<bpf_line_info>.size)
  }
}
