import Glibc
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
  var path = Array("/tmp/moontrace-btf-XXXXXX".utf8CString)
  guard mkdtemp(&path) != nil else { throw SystemError("mkdtemp", errno: errno) }
  let directory = String(decoding: path.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  let (input, output) = ("\(directory)/test.c", "\(directory)/test.o")
  defer {
    unlink(input)
    unlink(output)
    rmdir(directory)
  }
  try writeFile(input, Array(source.utf8))
  _ = try Machine.run("clang -target bpf -g -O2 -w -c \(input) -o \(output)")
  return try ELFImage(bytes: readFile(output), name: "test.o")
}

extension ELFImage {
  func bytes(of section: String) -> [UInt8] {
    Array(self.section(section).map(contents) ?? [])
  }
}

/// A generator that makes the same numbers from the same seed (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  /// A new seed, or the one that `MOONTRACE_TEST_SEED` asks to repeat; printed, so that a failure can be.
  static func seed(for test: String) -> UInt64 {
    let wanted = getenv("MOONTRACE_TEST_SEED").flatMap { UInt64(String(cString: $0)) }
    let seed = wanted ?? UInt64.random(in: 0...UInt64(UInt32.max))
    print("\(test): seed \(seed)")
    return seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var bits = state
    bits = (bits ^ bits >> 30) &* 0xbf58_476d_1ce4_e5b9
    bits = (bits ^ bits >> 27) &* 0x94d0_49bb_1331_11eb
    return bits ^ bits >> 31
  }

  mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }
}
