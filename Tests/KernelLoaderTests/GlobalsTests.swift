import BTF
import Glibc
import KernelLoader
import KernelTestSupport
import Support
import Testing

/// Global variables before and after the load.
@Suite(.requires(.root, .clang)) struct GlobalsTests {
  static let source = """
    const volatile u32 limit = 5;
    const volatile char word[8] = "abc";
    u64 counted;
    s32 start = -3;
    u32 extra SEC(".data.own") = 9;
    static volatile int hidden = 1;
    SEC("tp/syscalls/sys_enter_getppid") int on_call(void *ctx) {
      if ((u32)bpf_get_current_pid_tgid() != limit) return 0;
      counted += start + extra + (word[0] == 'x') + hidden - 1;
      return 0;
    }
    """

  @Test func whatThereIs() throws {
    let object = try Workshop.open("globals", Self.source)
    #expect(Set(object.globals.map(\.name)) == ["limit", "word", "counted", "start", "extra"])
    let limit = try #require(object.global("limit"))
    #expect(limit.section == ".rodata" && limit.isConstant)
    #expect(limit.layout == .integer(size: 4, signed: false))
    #expect(try object.value("limit", as: UInt32.self) == 5)
    #expect(try object.value("start", as: Int32.self) == -3)
    #expect(object.global("word")?.layout == .text(count: 8))
    #expect(object.global("counted")?.section == ".bss")
    #expect(object.global("extra")?.section == ".data.own")
    #expect(object.maps.isEmpty)
    #expect(object.internalMaps.count >= 4)
    object.close()
  }

  @Test func setBeforeAndAfterTheLoad() throws {
    let object = try Workshop.open("set", Self.source)
    try object.set("limit", to: thisThread())
    try object.set("start", to: Int32(100))
    try #require(object.global("word")).write(Array("xyz".utf8) + [0, 0, 0, 0, 0])
    #expect(try failure { try object.set("limit", to: UInt64(1)) }.message.contains("takes 4 bytes, not 8"))
    try object.whileLoaded {
      let link = try #require(object.program("on_call")).attach()
      _ = getppid()
      #expect(try object.value("counted", as: UInt64.self) == 110)
      try object.set("start", to: Int32(1))
      try object.set("extra", to: UInt32(2))
      try object.set("counted", to: UInt64(1000))
      _ = getppid()
      #expect(try object.value("counted", as: UInt64.self) == 1004)
      #expect(try object.value("limit", as: Int32.self) == thisThread())
      let error = try failure { try object.set("limit", to: UInt32(1)) }
      #expect(error.code == .usage)
      #expect(error.message.contains("'limit' is constant (in .rodata)"))
      link.detach()
    }
  }
}
