import Glibc
import Support
import Testing

struct SubprocessTests {
  /// Each of three descriptors becomes the next one, so that whichever is copied first stands where another one goes.
  @Test func descriptorsMayTakeEachOthersPlaces() throws {
    let first = try Pipe()
    let second = try Pipe()
    let third = try Pipe()
    let ends = [first.writing, second.writing, third.writing]
    let words = ends.map { "echo \($0) >/proc/self/fd/\($0)" }.joined(separator: "; ")
    let places = [ends[0]: ends[1], ends[1]: ends[2], ends[2]: ends[0]]
    #expect(try Subprocess("/bin/sh", ["-c", words], descriptors: places).wait() == 0)
    var text = [UInt8](repeating: 0, count: 16)
    for (reading, said) in [(second.reading, ends[0]), (third.reading, ends[1]), (first.reading, ends[2])] {
      let count = read(reading, &text, text.count)
      #expect(String(decoding: text.prefix(max(count, 0)), as: UTF8.self) == "\(said)\n")
    }
  }
}
