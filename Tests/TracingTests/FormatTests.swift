import BPFAssembly
import ProbeCompiler
import Testing

@testable import Tracing

/// What the kernel's `format` files say, without a kernel.
@Suite struct FormatTests {
  static let text = """
    name: example
    ID: 1
    format:
    \tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
    \tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

    \tfield:int number;\toffset:8;\tsize:4;\tsigned:1;
    \tfield:__u16 port;\toffset:12;\tsize:2;\tsigned:0;
    \tfield:bool flag;\toffset:14;\tsize:1;\tsigned:0;
    \tfield:char comm[16];\toffset:16;\tsize:16;\tsigned:0;
    \tfield:__u8 address[4];\toffset:32;\tsize:4;\tsigned:0;
    \tfield:__data_loc char[] name;\toffset:36;\tsize:4;\tsigned:0;
    \tfield:const void * p;\toffset:40;\tsize:8;\tsigned:0;
    \tfield:unsigned long list[3];\toffset:48;\tsize:24;\tsigned:0;
    \tfield:char sized[SOME_CONSTANT];\toffset:72;\tsize:8;\tsigned:0;
    \tfield:struct timespec pair;\toffset:80;\tsize:16;\tsigned:0;
    \tfield:__data_loc unsigned long[] mask;\toffset:96;\tsize:4;\tsigned:0;

    print fmt: "%d", REC->number
    """

  @Test func fields() throws {
    let format = try TracepointFormat(Self.text, spec: "x")
    let reader = TracepointArguments(format: format, isSystemCall: false)
    let arguments = try reader.arguments()
    #expect(arguments.map(\.name) == ["number", "port", "flag", "comm", "address", "name", "p", "sized"])
    #expect(
      arguments.map(\.source) == [
        .word(offset: 8, width: .word, signed: true), .word(offset: 12, width: .half, signed: false),
        .word(offset: 14, width: .byte, signed: false), .bytes(offset: 16, size: 16), .bytes(offset: 32, size: 4),
        .location(offset: 36), .word(offset: 40, width: .double, signed: false), .bytes(offset: 72, size: 8),
      ])
    #expect(
      arguments.map(\.type) == [.integer, .integer, .boolean, .text, .text, .text, .kernelPointer(0), .text])
    #expect(
      reader.positional()
        == [48, 56, 64].map { ProbeContext.Argument.Source.word(offset: $0, width: .double, signed: false) })
  }

  @Test func unreadableFormats() throws {
    let error = try failure { _ = try TracepointFormat("\tfield:int x;\tsize:4;\n", spec: "tracepoint:a:b") }
    #expect(error.message == "tracepoint:a:b: its format can't be read: field:int x;\tsize:4;")
  }

  @Test func probeArguments() {
    typealias Source = ProbeContext.Argument.Source
    func read(_ text: String) -> [Source] { USDTArguments.read(text) }
    #expect(
      read("-4@%edi 8@%rsi 1@%ah -2@%r10w") == [
        .word(offset: 112, width: .word, signed: true), .word(offset: 104, width: .double, signed: false),
        .word(offset: 81, width: .byte, signed: false), .word(offset: 56, width: .half, signed: true),
      ])
    #expect(
      read("-4@-20(%rbp) 8@(%r12) 4@$7 -4@$-1 1@$-1 8@0x10(%rsp)") == [
        .memory(register: 32, displacement: -20, width: .word, signed: true),
        .memory(register: 24, displacement: 0, width: .double, signed: false), .constant(7), .constant(-1),
        .constant(255), .memory(register: 152, displacement: 16, width: .double, signed: false),
      ])
    #expect(read("4@%eax 8@(%rax,%rbx,8) 4@%ecx").count == 1)
    for text in ["", "4@", "@%eax", "3@%eax", "4@%nope", "8@counter(%rip)", "4@(%eax)", "8f@%xmm0"] {
      #expect(read(text).isEmpty, "\(text)")
    }
  }
}
