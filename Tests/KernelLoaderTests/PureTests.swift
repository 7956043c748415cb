import BPFAssembly
import Support
import Testing

@testable import KernelLoader

/// The parts that need no kernel.
@Suite struct PureTests {
  @Test func verifierLogOfNewKernels() {
    let log = VerifierLog(
      """
      0: R1=ctx() R10=fp0
      ; int handle(void *ctx) @ x.bpf.c:12
      0: (b7) r1 = 0                        ; R1_w=0
      ; return *value; @ x.bpf.c:20
      8: (79) r0 = *(u64 *)(r0 +0)
      R0 invalid mem access 'map_value_or_null'
      processed 9 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
      """)
    #expect(log.complaint == "R0 invalid mem access 'map_value_or_null'")
    #expect(log.location == "x.bpf.c:20" && log.instruction == 8 && log.sourceText == "return *value;")
  }

  /// The states that it has seen stand behind the complaint.
  @Test func verifierLogOfAnEndlessLoop() {
    let log = VerifierLog(
      """
      ; while (1) x++; @ x.bpf.c:3
      5: (05) goto pc-4
      infinite loop detected at insn 2
      cur state: R1=scalar(smin=0,smax=umax=0xffffffff) R10=fp0 fp-8=mmmm????
      old state: R1=scalar(smin=0,smax=umax=0xffffffff) R10=fp0 fp-8=mmmm????
      processed 15 insns (limit 1000000)
      """)
    #expect(log.complaint == "infinite loop detected at insn 2" && log.location == "x.bpf.c:3")
  }

  @Test func verifierLogOfOldKernels() {
    let log = VerifierLog(
      """
      ; a = b + c;
      12: (0f) r1 += r2
      value -2147483648 makes map_value pointer be out of bounds
      processed 13 insns (limit 1000000)
      """)
    #expect(log.complaint == "value -2147483648 makes map_value pointer be out of bounds")
    #expect(log.location == nil && log.instruction == 12 && log.sourceText == "a = b + c;")
    #expect(VerifierLog("").complaint == nil)
    #expect(VerifierLog("Unknown program type\n").complaint == "Unknown program type")
  }

  /// Kernels before 6.9 print no places: the object's own line info has them.
  @Test func placesFromLineInfo() throws {
    let source = """
      struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } ring SEC(".maps");
      SEC("raw_tp/sys_enter") int sends(void *ctx) {
        u64 event = 1;
        bpf_ringbuf_output(&ring, &event, 8, 0);
        return 0;
      }
      """
    let object = try Workshop.open("places", source)
    let program = try #require(object.program("sends"))
    let call = try #require(LossInstrumentation.outputCalls(in: BPFProgram.instructions(program.pointer)).first)
    program.instrumentation = LossInstrumentation(
      BPFProgram.instructions(program.pointer), counter: .init(map: 0, offset: 0))
    let load = LoadFailure(object: object, failure: KernelFailure(number: 22))
    let refusal = ProgramRefusal(load: load, program: program)
    let line = Workshop.prelude.split(separator: "\n", omittingEmptySubsequences: false).count - 1 + 4
    for log in [
      "\(call): (85) call x\nbad", "\(program.ownCount): (85) call x\nbad",
      "; bpf_ringbuf_output(&ring, &event, 8, 0);\nbad",
    ] {
      let place = refusal.location(of: VerifierLog(log))
      #expect(place?.hasSuffix("places.bpf.c:\(line)") == true, "\(log): \(place ?? "nil")")
    }
    #expect(refusal.location(of: VerifierLog("bad")) == nil)
    object.close()
  }

  @Test func instrumentationLeavesTheProgramInPlace() throws {
    let call = Instruction(code: 0x85, immediate: 131)
    let wide = [Instruction(code: 0x18, destination: 1), Instruction(code: 0x85, immediate: 131)]
    let original = wide + [call, Instruction(code: 0x85, immediate: 5), Instruction(code: 0x95)]
    let result = LossInstrumentation(original, counter: .init(map: 9, offset: 16))
    // The second half of a wide instruction looks like a call and is none.
    #expect(result.calls == [2])
    #expect(result.instructions.count == original.count + LossInstrumentation.trampolineLength)
    #expect(result.instructions[2] == .jump(2))
    #expect(result.instructions[5] == call)
    #expect(result.instructions.last == .jump(-11))
    #expect(Array(result.instructions[0..<2]) == wide)
    #expect(result.originalIndex(7) == 2 && result.originalIndex(14) == nil)
    let silent = LossInstrumentation([Instruction(code: 0x95)], counter: .init(map: 9, offset: 0))
    #expect(silent.calls.isEmpty && silent.instructions.count == 1)
  }

  @Test func instrumentationOfLongPrograms() {
    let filler = Array(repeating: Instruction(code: 0xb7), count: 40_000)
    let call = [Instruction(code: 0x85, immediate: 130)]
    let result = LossInstrumentation(call + filler + call, counter: .init(map: 1, offset: 0))
    #expect(result.uncounted == 1 && result.calls == [40_001])
    #expect(result.instructions[0] == call[0])
  }

  @Test func ringSizes() {
    #expect(RingSize.rounded(0) == 4096 && RingSize.rounded(4097) == 8192 && RingSize.rounded(8 << 20) == 8 << 20)
    #expect(RingSize.rounded(.max) == RingSize.largest)
  }

  @Test func capabilitiesOfAProcess() {
    #expect(ProcessCapability.parse(status: "Name:\tx\nCapEff:\t0000000000000000\n").isEmpty)
    #expect(ProcessCapability.parse(status: "CapEff:\t000001ffffffffff\n") == Set(ProcessCapability.allCases))
    #expect(ProcessCapability.parse(status: "CapEff:\t0000008000000000\n") == [.bpf])
    #expect(ProcessCapability.parse(status: "").isEmpty)
  }

  @Test func processorLists() {
    #expect(PerfEvent.parseCPUList("0-2,5\n") == [0, 1, 2, 5])
    #expect(PerfEvent.parseCPUList("") == [])
  }

  @Test func symbolsAreFoundByAddress() {
    var table = SymbolTable()
    table.append(address: 0x200, size: 0x10, name: "second".utf8)
    table.append(address: 0x100, size: 0, name: "first".utf8)
    table.append(address: 0x200, size: 0x10, name: "alias".utf8)
    table.sort()
    #expect(table.find(0xff) == nil && table.find(0x210) == nil)
    #expect(table.find(0x1ff)?.name == "first" && table.find(0x1ff)?.offset == 0xff)
    #expect(table.find(0x20f)?.offset == 0xf)
    #expect(Symbol(name: "f", offset: 31).description == "f+0x1f" && Symbol(name: "f", offset: 0).description == "f")
  }

  @Test func mappingsOfAProcess() {
    let lines = """
      00400000-00401000 r--p 00000000 fe:00 7 /bin/x
      00401000-00402000 r-xp 00001000 fe:00 7 /bin/x y (deleted)
      7f0000000000-7f0000001000 rwxp 00000000 00:00 0
      """
    let mappings = MemoryMappings.parse(lines)
    #expect(mappings.map(\.path) == ["/bin/x y (deleted)", ""])
    #expect(mappings[0].fileOffset == 0x1000 && mappings[0].identity == "fe:00:7")
  }

  @Test func generatedCode() {
    let table = UserSymbols.parsePerfMap("7f00 10 LazyCompile:~add /x.js:1\nbroken\n7f10 8 other\n")
    #expect(table.find(0x7f0f)?.name == "LazyCompile:~add /x.js:1" && table.find(0x7f18) == nil)
  }

  @Test func probeNotes() {
    var note: [UInt8] = [8, 0, 0, 0, 33, 0, 0, 0, 3, 0, 0, 0] + Array("stapsdt\0".utf8)
    note += [UInt8](repeating: 0, count: 24) + Array("app\0go\0\0\0".utf8) + [0, 0, 0]
    #expect(USDTNotes.parse(note[...]).map { "\($0.provider):\($0.name)" } == ["app:go"])
    for length in 0..<note.count { _ = USDTNotes.parse(note.prefix(length)) }
    #expect(USDTNotes.parse([255, 255, 255, 255, 255, 255, 255, 255, 3, 0, 0, 0]).isEmpty)
  }

  @Test func messagesOfTheLibrary() {
    let lines = ["libbpf: map 'a': failed to create: Invalid argument(-22)\n"]
    #expect(LibbpfMessage.part(of: lines, after: "map '", upTo: "': failed") == "a")
    #expect(LibbpfMessage.part(of: lines, after: "create: ", upTo: "") == "Invalid argument(-22)")
    #expect(LibbpfMessage.part(of: lines, after: "prog '", upTo: "'") == nil)
    #expect(LibbpfMessage.text(lines[0]) == "map 'a': failed to create: Invalid argument(-22)")
  }
}
