import CEventCore
import Glibc
import Support
import Testing

struct OutputBufferTests {
  private func append(_ text: String, to output: inout mt_output) {
    mt_output_append(&output, text, text.utf8.count)
  }

  @Test func textWaitsForTheFlush() throws {
    let pipe = try Pipe()
    var output = mt_output()
    #expect(mt_output_open(&output, pipe.writing))
    append("one\n", to: &output)
    #expect(pipe.waiting == 0)
    #expect(mt_output_flush(&output))
    #expect(pipe.waiting == 4)
    append("two", to: &output)
    mt_output_close(&output)
    pipe.closeWriting()
    #expect(String(decoding: try readAll(pipe.reading, name: "pipe"), as: UTF8.self) == "one\ntwo")
  }

  @Test func aFullBufferWritesWholeLines() throws {
    let file = try temporaryFile()
    var output = mt_output()
    #expect(mt_output_open(&output, file.number))
    let line = String(repeating: "x", count: 999) + "\n"
    for _ in 0..<100 { append(line, to: &output) }
    let written = lseek(file.number, 0, SEEK_CUR)
    #expect(written > 0 && written % 1000 == 0)
    #expect(output.taken == UInt64(written))
    mt_output_close(&output)
    #expect(lseek(file.number, 0, SEEK_CUR) == 100_000)
  }

  @Test func endlessLinesComeThroughWhole() throws {
    let file = try temporaryFile()
    var output = mt_output()
    #expect(mt_output_open(&output, file.number))
    let piece = String(repeating: "y", count: 300_001)
    for _ in 0..<20 { append(piece, to: &output) }
    #expect(output.capacity <= 2 << 20)
    mt_output_close(&output)
    #expect(lseek(file.number, 0, SEEK_CUR) == 20 * 300_001)
  }

  @Test func whoHasDrawnThereIsToldOfEachWrite() throws {
    final class Told { var phases: [String] = [] }
    let (told, pipe) = (Told(), try Pipe())
    var output = mt_output()
    #expect(mt_output_open(&output, pipe.writing))
    output.around_context = Unmanaged.passUnretained(told).toOpaque()
    output.around = { context, phase, isWholeLine in
      guard let context else { return }
      let told = Unmanaged<Told>.fromOpaque(context).takeUnretainedValue()
      told.phases.append(phase == MT_TEXT_WILL_APPEAR ? "before" : isWholeLine ? "line" : "part")
    }
    append("one\n", to: &output)
    #expect(told.phases == [])
    mt_output_flush(&output)
    #expect(told.phases == ["before", "line"])
    mt_output_flush(&output)
    append("two", to: &output)
    mt_output_flush(&output)
    #expect(told.phases == ["before", "line", "before", "part"])
    mt_output_close(&output)
  }

  @Test func memoryOutputGrows() {
    let output = Output()
    for _ in 0..<50_000 { append("0123456789\n", to: &output.raw) }
    #expect(output.raw.length == 550_000)
    #expect(output.bytes.suffix(11) == Array("0123456789\n".utf8)[...])
  }

  @Test func aFailedDescriptorKeepsItsErrorAndDropsText() throws {
    var output = mt_output()
    let file = OwnedDescriptor(try check("open") { open("/dev/full", O_WRONLY | O_CLOEXEC) })
    #expect(mt_output_open(&output, file.number))
    append("x", to: &output)
    #expect(mt_output_flush(&output) == false)
    #expect(output.error == ENOSPC)
    for _ in 0..<10_000 { append("0123456789\n", to: &output) }
    #expect(output.capacity == 64 << 10)
    #expect(mt_output_flush(&output) == false)
    mt_output_close(&output)
  }

  @Test func aNonBlockingDescriptorIsWaitedFor() throws {
    let pipe = try Pipe()
    _ = fcntl(pipe.writing, F_SETFL, O_NONBLOCK)
    let reading = pipe.reading
    nonisolated(unsafe) var received: Int?  // read behind the join
    let reader = try Worker { received = try? readAll(reading, name: "pipe").count }
    var output = mt_output()
    #expect(mt_output_open(&output, pipe.writing))
    for _ in 0..<100_000 { append("0123456789\n", to: &output) }
    #expect(mt_output_flush(&output))
    mt_output_close(&output)
    pipe.closeWriting()
    reader.join()
    #expect(received == 1_100_000)
  }
}
