import BPFAssembly
import CLibbpf
import Glibc
import Support
import Testing

/// A program that is loaded into the kernel as a raw tracepoint's, to be run by hand; gone with the value.
///
/// ```swift
/// let run = try KernelRun(program, descriptor: maps.descriptor)
/// try run(arguments: [1, 2])
/// ```
struct KernelRun: ~Copyable {
  /// Why the kernel refused a program.
  struct Refusal: Error, CustomStringConvertible {
    var description: String
  }

  private let program: OwnedDescriptor

  /// Loads a program.
  ///
  /// - Parameter descriptor: the descriptor of each map that the program uses.
  /// - Throws: `Refusal` with the verifier's log.
  init(_ program: AssembledProgram, descriptor: (MapReference) -> Int32) throws {
    let types = try FunctionTypes(entries: program.entries)
    let instructions = program.resolving(descriptor)
    var number = Self.load(instructions, types, log: nil, size: 0)
    if number < 0 {
      // Again, this time with a log: writing one takes longer than everything else.
      let size = 1 << 24
      let log = UnsafeMutablePointer<CChar>.allocate(capacity: size)
      defer { log.deallocate() }
      log[0] = 0
      number = Self.load(instructions, types, log: log, size: size)
      if number < 0 { throw Refusal(description: "error \(-number): \(String(cString: log).suffix(20_000))") }
    }
    self.program = OwnedDescriptor(number)
  }

  private static func load(
    _ instructions: [Instruction], _ types: FunctionTypes, log: UnsafeMutablePointer<CChar>?, size: Int
  ) -> Int32 {
    var options = bpf_prog_load_opts()
    options.sz = MemoryLayout<bpf_prog_load_opts>.size
    options.log_level = log == nil ? 0 : 1
    options.log_size = UInt32(size)
    options.log_buf = log
    options.prog_btf_fd = UInt32(types.descriptor)
    options.func_info_rec_size = UInt32(MemoryLayout<bpf_func_info>.size)
    options.func_info_cnt = UInt32(types.functions.count)
    return types.functions.withUnsafeBytes { functions in
      options.func_info = functions.baseAddress
      return instructions.withUnsafeBytes {
        bpf_prog_load(
          BPF_PROG_TYPE_RAW_TRACEPOINT, "test", "GPL", $0.baseAddress?.assumingMemoryBound(to: bpf_insn.self),
          instructions.count, &options)
      }
    }
  }

  /// Runs the program once, on this CPU.
  ///
  /// - Parameter arguments: what the context holds; the rest of its twelve numbers are 0.
  /// - Returns: the low half of what the program returns.
  @discardableResult func callAsFunction(arguments: [Int64]) throws -> UInt32 {
    var options = bpf_test_run_opts()
    options.sz = MemoryLayout<bpf_test_run_opts>.size
    let context = arguments + Array(repeating: 0, count: 12 - arguments.count)
    let number = program.number
    let result = context.withUnsafeBytes { bytes in
      options.ctx_in = bytes.baseAddress
      options.ctx_size_in = UInt32(bytes.count)
      return bpf_prog_test_run_opts(number, &options)
    }
    if result != 0 { throw Refusal(description: "running the program failed: error \(-result)") }
    return options.retval
  }
}

/// The BTF that the kernel wants for programs with callbacks: a function without parameters for each entry.
private final class FunctionTypes {
  let functions: [bpf_func_info]
  private let types: OpaquePointer

  init(entries: [Int]) throws {
    guard let types = btf__new_empty() else { throw KernelRun.Refusal(description: "out of memory") }
    self.types = types
    let number = btf__add_int(types, "int", 4, Int32(BTF_INT_SIGNED))
    let prototype = btf__add_func_proto(types, number)
    functions = entries.enumerated().map { index, entry in
      let linkage = index == 0 ? BTF_FUNC_GLOBAL : BTF_FUNC_STATIC
      let function = btf__add_func(types, "function\(index)", linkage, prototype)
      return bpf_func_info(insn_off: UInt32(entry), type_id: UInt32(function))
    }
    let result = btf__load_into_kernel(types)
    if result != 0 { throw KernelRun.Refusal(description: "the kernel refuses the types: error \(-result)") }
  }

  var descriptor: Int32 { btf__fd(types) }

  deinit { btf__free(types) }
}
