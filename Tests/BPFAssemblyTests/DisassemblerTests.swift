import BPFAssembly
import Glibc
import Support
import Testing

@Suite struct DisassemblerTests {
  @Test func helpersHaveTheirNames() throws {
    let program = try assembled {
      $0.call(.probeReadUserStr)
      $0.call(.skcToTcp6Sock)
      $0.call(helper: 9999)
    }
    #expect(
      program.lines().map(\.text) == [
        "call bpf_probe_read_user_str#114", "call bpf_skc_to_tcp6_sock#136", "call unknown#9999",
      ])
  }

  /// `FN(name)` stands in the header once for each helper, in the order of their numbers.
  @Test(.enabled(if: access("/usr/include/linux/bpf.h", R_OK) == 0, "linux/bpf.h is missing"))
  func helpersAreThoseOfTheHeader() throws {
    let header = String(decoding: try readFile("/usr/include/linux/bpf.h"), as: UTF8.self)
    let names = header.split(separator: "\n").compactMap { line -> String? in
      guard line.hasPrefix("\tFN("), let end = line.firstIndex(where: { $0 == ")" || $0 == "," }) else { return nil }
      return "bpf_" + line[..<end].dropFirst(4)
    }
    try #require(names.first == "bpf_unspec" && names.count > Helper.allCases.count)
    for helper in Helper.allCases { #expect(helper.name == names[Int(helper.rawValue)]) }
  }

  @Test func oldPacketLoadsAndKernelFunctions() {
    let texts = [
      (Instruction(code: 0x20, immediate: 12), "r0 = *(u32 *)skb[12]"),
      (Instruction(code: 0x50, source: 3, immediate: 4), "r0 = *(u8 *)skb[r3 + 4]"),
      (Instruction(code: 0x85, source: 2, immediate: 77), "call kernel-function#77"),
      (Instruction(code: 0x45, destination: 1, offset: 2, immediate: -1), "if r1 & 0xffffffff goto pc+2"),
    ]
    for (instruction, text) in texts { #expect(Disassembler.text(of: instruction) == text) }
  }

  @Test func whatIsNoInstructionIsSaidToBeNone() {
    #expect(Disassembler.text(of: Instruction(code: 0xff)) == "unknown instruction 0xff")
    #expect(Disassembler.text(of: Instruction(code: 0xdb, immediate: 3)) == "unknown instruction 0xdb")
    #expect(Disassembler.text(of: Instruction(code: 0xd3)) == "unknown instruction 0xd3")
    // A wide instruction without its second half.
    #expect(Disassembler.lines(of: [Instruction(code: 0x18, immediate: 5)]).map(\.text) == ["r0 = 0x5 ll"])
    #expect(Disassembler.lines(of: []).isEmpty)
  }

  /// Every code byte has a text and none traps.
  @Test func everyCodeHasAText() {
    for code in UInt8.min...UInt8.max {
      let instruction = Instruction(code: code, destination: 15, source: 15, offset: .min, immediate: .min)
      #expect(!Disassembler.lines(of: [instruction, instruction])[0].text.isEmpty)
    }
  }
}
