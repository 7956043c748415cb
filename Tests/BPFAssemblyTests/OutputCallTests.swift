import BPFAssembly
import Testing

/// What programs say of the records that they send.
@Suite struct OutputCallTests {
  private static let buffer = [Instruction(code: 0x18, destination: 1), Instruction(code: 0)]

  private func move(_ register: UInt8, _ value: Int32, code: UInt8 = 0xb7) -> Instruction {
    Instruction(code: code, destination: register, immediate: value)
  }

  private func call(_ helper: Int32) -> Instruction { Instruction(code: 0x85, immediate: helper) }

  @Test func constantsBeforeTheCall() {
    let reserve = Self.buffer + [move(2, 48), move(3, 0), call(131)]
    #expect(OutputCall.all(in: reserve) == [OutputCall(buffer: 0, size: 48)])
    let narrow = [move(3, 20, code: 0xb4)] + Self.buffer + [move(2, 7), call(130)]
    #expect(OutputCall.all(in: narrow) == [OutputCall(buffer: 1, size: 20)])
    let perf = [Instruction(code: 0x18, destination: 2), Instruction(code: 0), move(5, 64), call(25)]
    #expect(OutputCall.all(in: perf) == [OutputCall(buffer: 0, size: 64)])
  }

  @Test func sizesThatAreComputed() {
    let copied = Self.buffer + [Instruction(code: 0xbf, destination: 2, source: 6), call(131)]
    #expect(OutputCall.all(in: copied) == [OutputCall(buffer: 0, size: nil)])
    let loaded = Self.buffer + [move(2, 8), Instruction(code: 0x79, destination: 2, source: 10, offset: -8), call(131)]
    #expect(OutputCall.all(in: loaded) == [OutputCall(buffer: 0, size: nil)])
    let negative = Self.buffer + [move(2, -8), call(131)]
    #expect(OutputCall.all(in: negative) == [OutputCall(buffer: 0, size: nil)])
  }

  @Test func nothingIsTakenFromAboveACallOrABranch() {
    let call = call(131)
    #expect(OutputCall.all(in: Self.buffer + [move(2, 8), self.call(5), call]) == [])
    let joined =
      Self.buffer + [
        Instruction(code: 0x15, destination: 6, offset: 1), move(2, 16), Instruction(code: 0x05, offset: 0), call,
      ]
    #expect(OutputCall.all(in: joined) == [])
    // The size is set where two ways have met.
    let target = [Instruction(code: 0x15, destination: 6, offset: 2)] + Self.buffer + [move(2, 16), call]
    #expect(OutputCall.all(in: target) == [])
  }

  @Test func otherCallsSendNothing() {
    #expect(OutputCall.all(in: Self.buffer + [move(2, 8), call(1)]) == [])
    #expect(OutputCall.all(in: []) == [] && OutputCall.all(in: [call(131)]) == [])
  }
}
