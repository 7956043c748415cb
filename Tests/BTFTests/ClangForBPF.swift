import FileTestSupport
import Glibc
import RandomTestSupport
import Support

/// What these tests need from outside the project.
enum Machine {
  static let kernelTypes = "/sys/kernel/btf/vmlinux"
  static let hasKernelTypes = access(kernelTypes, R_OK) == 0
  static let hasClang = (try? run("clang --print-targets"))?.contains(" bpf ") ?? false

  struct Failure: Error {
    var command: String
    var output: String
  }

  /// What a shell command printed, errors included.
  static func run(_ command: String) throws -> String {
    guard let pipe = popen("\(command) 2>&1", "r") else { throw Failure(command: command, output: "popen failed") }
    let output = try? readAll(fileno(pipe), name: command)
    let text = String(decoding: output ?? [], as: UTF8.self)
    guard pclose(pipe) == 0 else { throw Failure(command: command, output: text) }
    return text
  }
}

/// The object that clang makes of C text for the BPF machine.
func compileForBPF(_ source: String) throws -> ELFImage {
  let directory = try TemporaryDirectory()
  let input = try directory.write("test.c", source)
  _ = try Machine.run("clang -target bpf -g -O2 -w -c \(input) -o \(directory.path("test.o"))")
  return try ELFImage(bytes: readFile(directory.path("test.o")), name: "test.o")
}

extension ELFImage {
  func bytes(of section: String) -> [UInt8] {
    Array(self.section(section).map(contents) ?? [])
  }
}

extension SeededGenerator {
  mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }
}
