import BPFAssembly
import FileTestSupport
import Glibc
import Support
import Testing

@Suite struct EncodingTests {
  @Test(arguments: Golden.all) func encodesAsClangDoes(golden: Golden) throws {
    #expect(try hexadecimal(instruction(of: golden)) == golden.bytes)
  }

  @Test(arguments: Golden.all) func spellsAsTheKernelDoes(golden: Golden) throws {
    let slots = try instruction(of: golden)
    #expect(Disassembler.text(of: slots[0], slots.count > 1 ? slots[1] : nil) == golden.kernel)
  }

  /// The goldens are what this machine's clang makes, too.
  @Test(.enabled(if: Clang.knowsBPF, "clang with the bpf target is missing"))
  func clangStillEncodesSo() throws {
    let source = Golden.all.map(\.clang).joined(separator: "\n") + "\n"
    #expect(try hexadecimal(Instruction.array(Clang.assemble(source)[...])) == Golden.all.map(\.bytes).joined())
  }

  /// clang's own assembler has no name for immediate stores at v3.
  @Test func storesImmediates() throws {
    for (width, code) in [(Width.byte, "72"), (.half, "6a"), (.word, "62"), (.double, "7a")] {
      let program = try assembled { $0.store(width, .frame, -8, -2) }
      #expect(hexadecimal(program.instructions) == code + "0af8fffeffffff")
      #expect(program.lines()[0].text == "*(u\(width.bytes * 8) *)(r10 -8) = -2")
    }
  }

  @Test(
    arguments: [
      (0, "b701000000000000"), (-1, "b7010000ffffffff"), (0x7fff_ffff, "b7010000ffffff7f"),
      (-0x8000_0000, "b701000000000080"), (0x8000_0000, "b401000000000080"), (0xffff_ffff, "b4010000ffffffff"),
      (0x1_0000_0000, "18010000000000000000000001000000"), (-0x8000_0001, "18010000ffffff7f00000000ffffffff"),
      (.min, "18010000000000000000000000000080"), (.max, "18010000ffffffff00000000ffffff7f"),
    ] as [(Int64, String)])
  func immediatesTakeTheShortestForm(value: Int64, bytes: String) throws {
    #expect(try hexadecimal(assembled { $0.loadImmediate(.r1, value) }.instructions) == bytes)
  }

  @Test func swappingAByteCutsItOff() throws {
    #expect(try assembled { $0.swapBytes(.r3, to: .big, .byte) }.lines().map(\.text) == ["r3 &= 255"])
  }

  @Test func negatedConditionsAreOpposite() {
    for condition in Condition.allCases where condition != .set {
      #expect(condition.negated?.negated == condition && condition.negated != condition)
    }
    #expect(Condition.set.negated == nil)
  }

  @Test func operandRegisters() {
    let instruction = Instruction(code: 0x79, destination: 3, source: 10, offset: -8)
    #expect(instruction.destination == 3 && instruction.source == 10 && instruction.registers == 0xa3)
    #expect(MemoryLayout<Instruction>.size == 8 && MemoryLayout<Instruction>.alignment == 4)
  }

  /// Jumps stand among the instructions that give them a target.
  private func instruction(of golden: Golden) throws -> [Instruction] {
    let slots = try assembled(golden.assemble).instructions
    let own = golden.clang.contains("goto -") ? slots.suffix(1) : slots.prefix(golden.bytes.count / 16)
    return Array(own)
  }
}

/// The program that a body writes.
func assembled(_ body: (inout Assembler) -> Void) throws -> AssembledProgram {
  var assembler = Assembler(name: "test")
  body(&assembler)
  return try assembler.finish()
}

func hexadecimal(_ instructions: [Instruction]) -> String {
  instructions.withUnsafeBytes { bytes in
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}

/// This machine's compiler, when it knows BPF.
enum Clang {
  static let knowsBPF = system("clang --print-targets 2>/dev/null | grep -q ' bpf '") == 0

  /// The bytes that clang's assembler makes.
  static func assemble(_ source: String) throws -> [UInt8] {
    let directory = try TemporaryDirectory()
    let input = try directory.write("test.s", source)
    try #require(system("clang -target bpf -mcpu=v3 -c \(input) -o \(directory.path("test.o"))") == 0)
    let image = try ELFImage(bytes: readFile(directory.path("test.o")), name: "test.o")
    return Array(image.section(".text").map(image.contents) ?? [])
  }
}
