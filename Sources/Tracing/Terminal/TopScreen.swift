import CEventCore
import EventStream
import Glibc
import Support

/// The live view on its terminal: takes the alternate screen, listens for keys, and gives all back.
///
/// While it is open, data stays in memory and messages are kept for the end, so that only this draws.
final class TopScreen {
  /// Messages that are kept word by word.
  private static let mostMessages = 100

  let picture = TopPicture()
  private let output: Output
  private let diagnostics: Diagnostics
  private let loop: EventLoop
  private var view: TopView
  private var keys = TopKeyReader()
  private var keyboard: Int32?
  private var signals: SignalSource?
  private var progress = ""
  private var messages: [String] = []
  private var leftOut = 0
  private var isOpen = false
  /// Called for the key that ends the view.
  private let onQuit: () -> Void

  init(
    title: String, output: Output, diagnostics: Diagnostics, loop: EventLoop, style: TextStyle,
    onQuit: @escaping () -> Void
  ) {
    view = TopView(title: title, style: style)
    self.output = output
    self.diagnostics = diagnostics
    self.loop = loop
    self.onQuit = onQuit
  }

  deinit { close() }

  // MARK: Opening and closing

  func open() throws(MoontraceError) {
    output.flush()
    signals = try SignalSource([SIGWINCH, SIGTSTP], loop: loop) { [unowned self] signal in
      if signal == SIGTSTP { suspend() }
      draw()
    }
    isOpen = true
    enter()
    diagnostics.divert = { [unowned self] in keep($0) }
    listen()
    draw()
  }

  private func enter() {
    mt_terminal_enter(output.descriptor)
    output.isHeld = true
  }

  private func leave() {
    picture.addToLog(output.takeText())
    output.isHeld = false
    mt_terminal_leave()
  }

  /// Gives the terminal back and tells what was kept meanwhile. The session's last words go their ordinary way.
  func close() {
    guard isOpen else { return }
    isOpen = false
    stopListening()
    leave()
    signals?.close()
    diagnostics.divert = nil
    messages.forEach(diagnostics.line)
    if leftOut > 0 { diagnostics.line("\(leftOut) more messages were left out") }
  }

  /// Ctrl-Z: the shell gets its screen, and the view comes back with the process.
  private func suspend() {
    leave()
    suspendProcess()
    enter()
  }

  // MARK: Keys

  /// Without a controlling terminal there are no keys; Ctrl-C and signals still end the view.
  private func listen() {
    let keyboard = Glibc.open("/dev/tty", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
    guard keyboard >= 0 else { return }
    do throws(MoontraceError) {
      try loop.add(descriptor: keyboard) { [unowned self] in read(keyboard) }
      self.keyboard = keyboard
    } catch {
      Glibc.close(keyboard)
    }
  }

  private func stopListening() {
    guard let keyboard else { return }
    loop.remove(descriptor: keyboard)
    Glibc.close(keyboard)
    self.keyboard = nil
  }

  private func read(_ keyboard: Int32) {
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = Glibc.read(keyboard, &bytes, bytes.count)
    if count < 0, errno == EAGAIN || errno == EINTR { return }
    guard count > 0 else { return stopListening() }
    for key in keys.keys(bytes.prefix(count)) where !view.press(key) { return onQuit() }
    draw()
  }

  // MARK: Drawing

  /// Takes what events print meanwhile; called often, so that it does not grow.
  func absorb() {
    picture.addToLog(output.takeText())
  }

  /// Collects what a timer prints, and shows it. Whether it printed anything.
  func collect(part: Int, _ body: () -> Void) -> Bool {
    defer { draw() }
    return picture.collect(part: part, text: output.takeText, body)
  }

  /// Called once a second.
  func update(_ progress: String) {
    self.progress = progress
    draw()
  }

  private func draw() {
    guard isOpen else { return }
    let size = TerminalSize(of: output.descriptor)
    view.show(picture.blocks(logLines: size.rows / 2))
    let lines = view.lines(size, progress: progress).map { $0 + "\u{1b}[K" }
    output.show("\u{1b}[H" + lines.joined(separator: "\r\n") + "\u{1b}[J")
  }

  private func keep(_ message: String) {
    view.note = message.split(separator: "\n").first.map(String.init)
    if messages.count < Self.mostMessages { messages.append(message) } else { leftOut += 1 }
  }
}
