import CEventCore
import Glibc
import Support

/// Where a session's data goes: the buffered text output in front of stdout or a file.
final class Output {
  /// Stays at this address for the life of the session; the Lua runtime writes through it too.
  let buffer: UnsafeMutablePointer<mt_output>
  let descriptor: Int32
  private let ownsDescriptor: Bool
  private let hooks: TextHooks

  /// Opens `path`, or stdout. Throws a usage error when the file can't be made.
  ///
  /// - Parameter hooks: called around each write to a terminal.
  init(path: String?, hooks: TextHooks = TextHooks(), color: ColorChoice = .never) throws(MoontraceError) {
    if let path {
      descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
      guard descriptor >= 0 else {
        throw MoontraceError(.usage, "can't write to \(path): \(errnoText(errno))")
      }
    } else {
      descriptor = STDOUT_FILENO
    }
    ownsDescriptor = path != nil
    self.hooks = hooks
    buffer = .allocate(capacity: 1)
    guard mt_output_open(buffer, descriptor) else {
      throw MoontraceError(.scriptFailed, "no memory for the output buffer")
    }
    buffer.pointee.colors = color.applies(to: descriptor)
    if isatty(descriptor) == 1 { callHooks() }
  }

  deinit {
    mt_output_close(buffer)
    buffer.deallocate()
    if ownsDescriptor { close(descriptor) }
  }

  private func callHooks() {
    buffer.pointee.around_context = Unmanaged.passUnretained(hooks).toOpaque()
    buffer.pointee.around = { context, phase, isWholeLine in
      guard let context else { return }
      let hooks = Unmanaged<TextHooks>.fromOpaque(context).takeUnretainedValue()
      if phase == MT_TEXT_WILL_APPEAR { hooks.willAppear() } else { hooks.didAppear(isWholeLine) }
    }
  }

  func write(_ text: String) {
    var text = text
    text.withUTF8 { mt_output_append(buffer, $0.baseAddress, $0.count) }
  }

  /// Writes out what is buffered. False once the reader has gone or the disk is full.
  @discardableResult
  func flush() -> Bool { mt_output_flush(buffer) }

  /// Lets a descriptor that becomes readable end a write to a reader that has stalled; nil takes it back.
  func interrupt(by descriptor: Int32?) {
    mt_output_interrupt_by(buffer, descriptor ?? -1)
  }

  /// The first failed write other than a reader that went away (`| head -1` is no error) or stalled until Ctrl-C.
  var failure: MoontraceError? {
    let number = buffer.pointee.error
    return [0, EPIPE, ECANCELED].contains(number)
      ? nil : MoontraceError(.scriptFailed, "writing output: \(errnoText(number))")
  }

  var hasFailed: Bool { buffer.pointee.error != 0 }

  /// Bytes that have been written, or wait to be: it grows with each text.
  var position: UInt64 { buffer.pointee.taken + UInt64(buffer.pointee.length) }

  // MARK: A live view in front of it

  /// While it is true, text stays in memory until `takeText`.
  var isHeld = false {
    didSet {
      if isHeld, !oldValue { flush() }
      buffer.pointee.fd = isHeld ? -1 : descriptor
    }
  }

  /// What has been written while the output is held, and forgets it.
  func takeText() -> String {
    let text = String(
      decoding: UnsafeRawBufferPointer(start: buffer.pointee.bytes, count: buffer.pointee.length), as: UTF8.self)
    buffer.pointee.taken += UInt64(buffer.pointee.length)
    buffer.pointee.length = 0
    return text
  }

  /// Writes text to the terminal at once, past what is held.
  func show(_ text: String) {
    buffer.pointee.fd = descriptor
    write(text)
    flush()
    buffer.pointee.fd = isHeld ? -1 : descriptor
  }
}
