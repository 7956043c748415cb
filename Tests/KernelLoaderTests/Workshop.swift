import FileTestSupport
import Glibc
import KernelLoader
import Support

@_silgen_name("gettid") private func threadNumber() -> Int32

/// The calling thread's number: programs in tests look at this thread only, because other tests run beside it.
func thisThread() -> Int32 { threadNumber() }

/// Compiles C for tests, in a directory of this test run.
enum Workshop {
  struct Failure: Error {
    let output: String
  }

  static let directory = TemporaryDirectory.untilExit()

  /// What every BPF source here begins with.
  static let prelude = """
    #include <linux/bpf.h>
    #include <linux/types.h>
    #include <bpf/bpf_helpers.h>
    #include <bpf/bpf_tracing.h>
    typedef __u32 u32; typedef __u64 u64; typedef __s32 s32;
    char LICENSE[] SEC("license") = "GPL";

    """

  /// The prelude for sources that use the kernel's types.
  static let kernelPrelude = """
    #include "vmlinux.h"
    #include <bpf/bpf_helpers.h>
    #include <bpf/bpf_tracing.h>
    #include <bpf/bpf_core_read.h>
    char LICENSE[] SEC("license") = "GPL";

    """

  /// The bytes of a BPF object. The file is called `NAME.bpf.c`, so that places in errors can be checked.
  static func compile(
    _ name: String, _ source: String, prelude: String = prelude, options: String = "-g -O2"
  ) throws -> [UInt8] {
    let path = "\(directory)/\(name).bpf"
    try writeFile(path + ".c", Array((prelude + source).utf8))
    try shell("\(clang) \(options) -c \(path).c -o \(path).o")
    return try readFile(path + ".o")
  }

  /// Writes the kernel's types beside the sources, also as clang has read them, which takes most of the time.
  static let kernelHeader: Result<Void, any Error> = Result {
    try writeFile("\(directory)/vmlinux.h", try KernelTypesHeader.make())
    try shell("\(clang) -g -O2 -x c-header \(directory)/vmlinux.h -o \(directory)/vmlinux.pch")
  }

  private static let clang =
    "clang -target bpf -mcpu=v3 -D__TARGET_ARCH_x86 -Wall -Werror -I\(directory) -I/usr/include/x86_64-linux-gnu"

  /// An opened object of a source.
  static func open(_ name: String, _ source: String, options: String = "-g -O2") throws -> BPFObject {
    try BPFObject(bytes: try compile(name, source, options: options), name: "\(name).bpf.o")
  }

  /// An opened object of a source that uses vmlinux.h.
  static func openWithKernelTypes(_ name: String, _ source: String) throws -> BPFObject {
    try kernelHeader.get()
    return try BPFObject(
      bytes: try compile(
        name, source, prelude: kernelPrelude, options: "-g -O2 -include-pch \(directory)/vmlinux.pch"),
      name: "\(name).bpf.o")
  }

  /// An executable made from C for this machine.
  static func executable(_ name: String, _ source: String, options: String = "-O1 -g") throws -> String {
    let path = "\(directory)/\(name)"
    try writeFile(path + ".c", Array(source.utf8))
    try shell("clang \(options) \(path).c -o \(path)")
    return path
  }

  /// Runs a command; throws with what it said when it fails.
  static func shell(_ command: String) throws {
    let log = "\(directory)/log.\(thisThread())"
    if system("(\(command)) >\(log) 2>&1") == 0 { return }
    throw Failure(output: command + "\n" + String(decoding: try readFile(log), as: UTF8.self))
  }
}
