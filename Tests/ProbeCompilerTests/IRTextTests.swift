import BPFAssembly
import Testing

@testable import ProbeCompiler

/// What `--dump ir` shows.
@Suite struct IRTextTests {
  @Test func showsEverything() {
    var builder = FunctionBuilder()
    builder.block()
    let context = builder.value(.context)
    let number = builder.value(.load(.value(context), 16, .word, signed: true))
    let sum = builder.value(.binary(.add, .value(number), .constant(-5)))
    builder.add(.call(.mapLookupElem, [.map(MapReference(id: 3)), .slot(SlotID(number: 0), 8)]))
    let head = builder.current
    let (join, parameters) = builder.block(parameters: 1, isCold: true)
    builder.end(.exit(.value(parameters[0])))
    builder.end(
      head,
      .branch(
        .slt, .value(sum), .constant(0), IRTarget(block: join, arguments: [.constant(1)]),
        IRTarget(block: join, arguments: [.value(sum)])))
    var function = builder.function
    function.blocks[0].instructions[2].place = 12
    let program = IRProgram(functions: [function], slots: [IRSlot(size: 16)], scratch: TestMaps.scratch)
    let line = "  v2 = add v1, -5"
    #expect(
      program.text { $0 == 0 ? nil : "x.lua:\($0)" } == """
        probe:
        b0:
          v0 = context
          v1 = load s32 [v0 + 16]
        \(line + String(repeating: " ", count: 46 - line.count)); x.lua:12
          call bpf_map_lookup_elem(map3, s0+8)
          branch slt v2, 0 ? b1(1) : b1(v2)
        b1(v3): cold
          exit v3
        slot s0: 16 bytes

        """)
  }
}
