import CEventCore
import EventStream
import Glibc
import KernelLoader
import Support

/// What programs write with `bpf_printk`, from the kernel's trace pipe (Documentation/trace/ftrace.rst): lines such as
/// `bash-811 [001] d..21 5012.406: bpf_trace_printk: hello`.
///
/// The pipe is the whole machine's, and what one reader takes no other sees.
final class TracePipe {
  private let pipe: OwnedDescriptor
  private let format: OutputFormat
  private let output: Output
  /// What has come of a line.
  private var rest: [UInt8] = []

  /// Opens the pipe and drops what has been written to it before.
  ///
  /// - Throws: `.notPermitted` without root, `.unsupported` when tracing is off.
  init(format: OutputFormat, output: Output) throws(MoontraceError) {
    let directory = try Tracefs.directory()
    if let state = try? readFile("\(directory)/tracing_on"), state.first == UInt8(ascii: "0") {
      throw MoontraceError(
        .unsupported, "--trace-pipe: the kernel writes no trace", remedy: "echo 1 > \(directory)/tracing_on")
    }
    do throws(SystemError) {
      let path = "\(directory)/trace_pipe"
      pipe = OwnedDescriptor(try check("open \(path)") { open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) })
    } catch {
      throw MoontraceError(
        error.errno == EBUSY ? .unsupported : .notPermitted, "--trace-pipe: \(error)",
        remedy: error.errno == EBUSY ? "end its other reader" : "run as root")
    }
    self.format = format
    self.output = output
    while !readChunk().isEmpty {}
  }

  var descriptor: Int32 { pipe.number }

  /// Prints the lines that wait; true when there may be more.
  func drain() -> Bool {
    let chunk = readChunk()
    rest += chunk
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      print(String(decoding: rest[..<end], as: UTF8.self))
      rest.removeSubrange(...end)
    }
    return !chunk.isEmpty
  }

  private func readChunk() -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
      count = max(0, read(pipe.number, buffer.baseAddress, buffer.count))
    }
  }

  private func print(_ line: String) {
    guard line.contains("bpf_trace_printk: ") else { return }
    let text = String(line.drop { $0 == " " })
    switch format {
    case .json: output.write("{\"print\":\(JSONText.quoted(text))}\n")
    case .table, .csv: output.write(text.printable + "\n")
    }
  }
}

extension TracingSession {
  /// Prints what programs write from now on, until the end.
  func openTracePipe() throws(MoontraceError) {
    let pipe = try TracePipe(format: configuration.format, output: output)
    try loop.addSource(descriptor: pipe.descriptor) { pipe.drain() }
  }
}
