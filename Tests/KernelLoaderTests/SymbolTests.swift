import BTF
import Glibc
import KernelLoader
import KernelTestSupport
import Support
import Testing

/// Names of live addresses, the kernel's types, features and statistics.
@Suite(.requires(.root, .clang)) struct SymbolTests {
  @Test func kernelFunctions() throws {
    let symbols = KernelSymbols()
    try #require(!symbols.areHidden)
    let lines = String(decoding: try readFile("/proc/kallsyms"), as: UTF8.self).split(separator: "\n")
    let line = try #require(lines.first { $0.hasSuffix(" T schedule") })
    let address = try #require(UInt64(line.prefix { $0 != " " }, radix: 16))
    #expect(symbols.symbol(at: address) == Symbol(name: "schedule", offset: 0))
    #expect(symbols.symbol(at: address + 5)?.description == "schedule+0x5")
    #expect(symbols.symbol(at: 16) == nil)
  }

  @Test func functionsOfThisProcess() throws {
    let symbols = UserSymbols()
    let handle = try #require(dlsym(nil, "getppid"))
    let address = UInt64(UInt(bitPattern: handle))
    let symbol = try #require(symbols.symbol(at: address + 2, process: getpid()))
    #expect(symbol.name.hasSuffix("getppid") && symbol.offset == 2)
    #expect(symbol.module?.contains("libc") == true)
    #expect(symbols.symbol(at: 1, process: getpid()) == nil)
    #expect(symbols.symbol(at: address, process: Int32.max) == nil)
  }

  @Test func functionsOfCPlusPlus() throws {
    let handle = try #require(dlsym(nil, "_ZSt9terminatev"))
    let symbol = UserSymbols().symbol(at: UInt64(UInt(bitPattern: handle)), process: getpid())
    #expect(symbol?.name == "std::terminate()")
  }

  @Test func functionsOfAnotherProgram() throws {
    let path = try Workshop.executable(
      "named",
      "#include <stdio.h>\n#include <unistd.h>\n__attribute__((noinline)) int known(int x) { return x * 3; }\n"
        + "int main(int c, char **v) { printf(\"%p\\n\", (void *)known); fflush(stdout); pause(); return known(c); }")
    let pipe = try #require(popen("exec \(path)", "r"))
    var line = [CChar](repeating: 0, count: 64)
    try #require(fgets(&line, 64, pipe) != nil)
    let text = String(decoding: line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let address = try #require(UInt64(text.dropFirst(2), radix: 16))
    let process = try #require(pid(of: path))
    let symbols = UserSymbols()
    #expect(symbols.symbol(at: address, process: process) == Symbol(name: "known", offset: 0, module: path))
    let place = try #require(symbols.place(of: address, process: process))
    #expect(place.path == path)
    kill(process, SIGKILL)  // test threads block the gentler signals, and children inherit that
    pclose(pipe)
  }

  /// What was known of it does not hide what it has become, even when it was read just before.
  @Test func aProcessThatBecomesAnotherProgram() throws {
    let path = try Workshop.executable(
      "become",
      "#include <stdio.h>\n#include <unistd.h>\n__attribute__((noinline)) int known(int x) { return x * 3; }\n"
        + "int main(int c, char **v) { printf(\"%p\\n\", (void *)known); fflush(stdout); pause(); return known(c); }")
    let gate = try Pipe()
    let answer = try Pipe()
    let child = try Subprocess(
      "/bin/sh", ["-c", "read line; exec \(path)"], descriptors: [0: gate.reading, 1: answer.writing])
    defer {
      kill(child.pid, SIGKILL)
      waitpid(child.pid, nil, 0)
    }
    let symbols = UserSymbols()
    #expect(symbols.symbol(at: 1, process: child.pid) == nil)
    #expect(write(gate.writing, "\n", 1) == 1)
    var line = [UInt8](repeating: 0, count: 64)
    let count = read(answer.reading, &line, line.count)
    let text = String(decoding: line.prefix(max(count, 0)).dropLast(), as: UTF8.self)
    let address = try #require(UInt64(text.dropFirst(2), radix: 16), "\(text)")
    usleep(50_000)  // as long as an answer may be kept
    #expect(symbols.symbol(at: address, process: child.pid)?.name == "known")
  }

  private func pid(of path: String) -> Int32? {
    for name in directoryEntries("/proc") {
      guard let number = Int32(name), let target = realpath("/proc/\(number)/exe", nil) else { continue }
      defer { free(target) }
      if String(cString: target) == path { return number }
    }
    return nil
  }

  @Test func headerOfKernelTypes() throws {
    let text = String(decoding: try KernelTypesHeader.make(), as: UTF8.self)
    #expect(text.hasPrefix("#ifndef __VMLINUX_H__"))
    #expect(text.contains("preserve_access_index"))
    #expect(text.contains("struct task_struct {"))
    #expect(text.hasSuffix("#endif /* __VMLINUX_H__ */\n"))
  }

  @Test func typesOfTheKernel() throws {
    let types = try KernelTypes.graph()
    #expect(types.find("task_struct", .struct) != nil)
    #expect(try KernelTypes.graph() === types)
  }

  @Test func features() {
    for feature in KernelFeatures.all {
      #expect(feature.isAvailable == (feature.reason == nil))
      print("\(feature.name): \(feature.reason ?? "available")")
    }
    #expect(KernelFeatures.typeInformation.isAvailable && KernelFeatures.ringBuffers.isAvailable)
    #expect(KernelFeatures.mapBatches.isAvailable && KernelFeatures.iterators.isAvailable)
  }

  @Test func statisticsOfAProgram() throws {
    let object = try Workshop.open(
      "stats",
      """
      SEC("tp/syscalls/sys_enter_getppid") int on_call(void *ctx) { return 0; }
      """)
    try object.whileLoaded {
      let program = try #require(object.program("on_call"))
      let collection = try StatisticsCollection()
      let link = try program.attach()
      for _ in 0..<50 { _ = getppid() }
      link.detach()
      let statistics = try program.statistics()
      #expect(statistics.runCount >= 50)
      #expect(try #require(statistics.meanNanoseconds) > 0)
      withExtendedLifetime(collection) {}
    }
  }

  @Test func whatCanChangeTheSystem() throws {
    let object = try Workshop.open(
      "writes",
      """
      SEC("raw_tp/sys_enter") int watches(void *ctx) { bpf_get_current_pid_tgid(); return 0; }
      SEC("raw_tp/sys_enter") int signals(void *ctx) { return bpf_send_signal(9); }
      SEC("raw_tp/sys_enter") int pokes(void *ctx) { u64 v = 1; return bpf_probe_write_user(ctx, &v, 8); }
      SEC("xdp") int drops(void *ctx) { return 1; }
      SEC("socket") int filters(void *ctx) { return 0; }
      SEC("fmod_ret/x") int overrides(void *ctx) { return 0; }
      """)
    let writers = object.programs.filter(\.needsKernelWrite).map(\.name)
    #expect(writers == ["signals", "pokes", "drops", "overrides"])
    #expect(object.program("signals")?.helperIDs == [109])
    #expect(object.program("drops")?.kernelWrites.first?.contains("packets") == true)
    object.close()
  }
}
