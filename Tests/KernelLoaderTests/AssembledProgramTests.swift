import BPFAssembly
import CLibbpf
import Glibc
import KernelTestSupport
import Support
import Testing

/// What `BPFAssembly` writes is what the kernel understands.
@Suite struct AssembledProgramTests {
  /// Adds 1 to 10 in a loop, in a subprogram, to a map's value; answers the value before.
  private static func program() throws -> AssembledProgram {
    var assembler = Assembler(name: "sum")
    let (sum, loop, end, found) = (
      assembler.newLabel(), assembler.newLabel(), assembler.newLabel(), assembler.newLabel()
    )
    assembler.callSubprogram(sum)
    assembler.move(.r6, .r0)
    assembler.store(.word, .frame, -4, 0)
    assembler.move(.r2, .frame)
    assembler.alu(.add, .r2, -4)
    assembler.loadMap(.r1, MapReference(id: 5))
    assembler.call(.mapLookupElem)
    assembler.jump(if: .ne, .r0, 0, to: found)
    assembler.exit()
    assembler.bind(found)
    assembler.atomic(.fetchAdd, .r0, 0, .r6)
    assembler.loadMapValue(.r1, MapReference(id: 5), offset: 8)
    assembler.loadImmediate(.r2, 0x1_2345_6789)
    assembler.store(.double, .r1, 0, .r2)
    assembler.move(.r0, .r6)
    assembler.exit()

    assembler.bind(sum)
    assembler.loadImmediate(.r0, 0)
    assembler.loadImmediate(.r1, 1)
    assembler.bind(loop)
    assembler.jump(if: .sgt, .r1, 10, to: end, .bits32)
    assembler.alu(.add, .r0, .r1)
    assembler.alu(.add, .r1, 1, .bits32)
    assembler.jump(to: loop)
    assembler.bind(end)
    assembler.exit()
    return try assembler.finish()
  }

  @Test(.requires(.root)) func runsInTheKernel() throws {
    let map = OwnedDescriptor(bpf_map_create(BPF_MAP_TYPE_ARRAY, "assembled", 4, 16, 1, nil))
    let number = map.number
    try #require(number >= 0)
    let program = try Self.program()
    let loaded = try load(program.resolving { $0.id == 5 ? number : -1 })
    let answers = [try run(loaded.descriptor), try run(loaded.descriptor)]
    #expect(answers == [0, 55])
    var key: UInt32 = 0
    var value: (UInt64, UInt64) = (0, 0)
    try #require(bpf_map_lookup_elem(number, &key, &value) == 0)
    #expect(value == (110, 0x1_2345_6789))
    try compare(program, with: loaded.log)
  }

  /// A subprogram's address needs BTF function info for each function; with it, `bpf_loop` calls back.
  @Test(.requires(.root)) func callsBack() throws {
    var assembler = Assembler(name: "callback")
    let callback = assembler.newLabel()
    assembler.store(.double, .frame, -8, 0)
    assembler.loadImmediate(.r1, 1000)
    assembler.loadSubprogramAddress(.r2, callback)
    assembler.move(.r3, .frame)
    assembler.alu(.add, .r3, -8)
    assembler.loadImmediate(.r4, 0)
    assembler.call(.loop)
    assembler.load(.r0, .double, .frame, -8)
    assembler.exit()
    assembler.bind(callback)
    assembler.load(.r3, .double, .r2, 0)
    assembler.alu(.add, .r3, .r1)
    assembler.store(.double, .r2, 0, .r3)
    assembler.loadImmediate(.r0, 0)
    assembler.exit()
    let program = try assembler.finish()
    let loaded = try load(program.instructions, entries: program.entries)
    let answer = try run(loaded.descriptor)
    #expect(answer == 999 * 1000 / 2)
  }

  /// Every instruction that the verifier's log prints reads as the disassembler's. Of addresses it prints numbers of
  /// its own.
  private func compare(_ program: AssembledProgram, with log: String) throws {
    var seen = 0
    let lines = Dictionary(uniqueKeysWithValues: program.lines().map { ($0.index, $0.text) })
    for line in log.split(separator: "\n") {
      let parts = line.split(separator: " ", maxSplits: 2)
      guard parts.count == 3, parts[0].hasSuffix(":"), parts[1].hasPrefix("("), parts[1] != "(18)",
        let index = Int(parts[0].dropLast())
      else { continue }
      let text = parts[2].split(separator: ";")[0]
      #expect(lines[index] == String(text).trimmingEnd())
      seen += 1
    }
    #expect(seen >= 20, "the log shows \(seen) instructions")
  }

  private struct Loaded: ~Copyable {
    let descriptor: OwnedDescriptor
    let log: String
  }

  private func load(_ instructions: [Instruction], entries: [Int] = []) throws -> Loaded {
    let types = try #require(btf__new_empty())
    defer { btf__free(types) }
    let functions = try describe(entries, in: types)
    let (number, log) = functions.withUnsafeBufferPointer { functions in
      var options = bpf_prog_load_opts()
      if let first = functions.baseAddress, !functions.isEmpty {
        options.prog_btf_fd = UInt32(btf__fd(types))
        options.func_info = UnsafeRawPointer(first)
        options.func_info_cnt = UInt32(functions.count)
        options.func_info_rec_size = UInt32(MemoryLayout<bpf_func_info>.size)
      }
      return load(instructions, &options)
    }
    try #require(number >= 0, "\(log)")
    return Loaded(descriptor: OwnedDescriptor(number), log: log)
  }

  /// Function info that says of each entry `static long f(unsigned int, void *)`.
  private func describe(_ entries: [Int], in types: OpaquePointer) throws -> [bpf_func_info] {
    if entries.isEmpty { return [] }
    let long = btf__add_int(types, "long", 8, BTF_INT_SIGNED)
    let number = btf__add_int(types, "int", 4, 0)
    let pointer = btf__add_ptr(types, 0)
    let prototype = btf__add_func_proto(types, long)
    btf__add_func_param(types, "number", number)
    btf__add_func_param(types, "context", pointer)
    let records = entries.map { entry in
      let function = btf__add_func(types, "function_\(entry)", BTF_FUNC_STATIC, prototype)
      return bpf_func_info(insn_off: UInt32(entry), type_id: UInt32(function))
    }
    try #require(btf__load_into_kernel(types) == 0)
    return records
  }

  private func load(
    _ instructions: [Instruction], _ options: inout bpf_prog_load_opts
  ) -> (number: Int32, log: String) {
    options.sz = MemoryLayout<bpf_prog_load_opts>.size
    options.log_level = 2
    options.log_size = 1 << 16
    let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: 1 << 16)
    buffer.initialize(repeating: 0, count: 1 << 16)
    defer { buffer.deallocate() }
    options.log_buf = buffer
    let number = instructions.withUnsafeBytes {
      bpf_prog_load(
        BPF_PROG_TYPE_SOCKET_FILTER, "assembled", "GPL", $0.baseAddress?.assumingMemoryBound(to: bpf_insn.self),
        instructions.count, &options)
    }
    return (number, String(cString: buffer))
  }

  private func run(_ program: borrowing OwnedDescriptor) throws -> UInt32 {
    var options = bpf_test_run_opts()
    options.sz = MemoryLayout<bpf_test_run_opts>.size
    let number = program.number
    let packet = [UInt8](repeating: 0, count: 64)
    return try packet.withUnsafeBytes { packet in
      options.data_in = packet.baseAddress
      options.data_size_in = UInt32(packet.count)
      let result = bpf_prog_test_run_opts(number, &options)
      try #require(result == 0)
      return options.retval
    }
  }
}

extension String {
  fileprivate func trimmingEnd() -> String { String(reversed().drop { $0 == " " }.reversed()) }
}
