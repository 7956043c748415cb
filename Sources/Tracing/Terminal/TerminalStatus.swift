import EventStream
import Glibc
import Support

/// The status line: the last line of stderr's terminal while a run goes on.
///
/// It makes room before text appears and comes back behind it, and is erased at the end. The cursor rests at its start,
/// so that a `^C` which the terminal echoes stands in it and goes with it. It is not drawn while the process is in the
/// background or the terminal is stopped (Ctrl-S), and erased before Ctrl-Z stops the process.
final class TerminalStatus {
  private let style: TextStyle
  private var progress = ProgressText()
  /// What the line shows; nil before the first second is over.
  private var shown: [UInt8]?
  private var isDrawn = false
  /// Text without a newline stands on the line where the status would.
  private var isLineBroken = false
  private var suspension: SignalSource?

  /// nil where a status line would stand in the way: stderr is no terminal, or the reader of a pipe may write there too.
  ///
  /// - Parameter data: the descriptor that data goes to.
  init?(data: Int32, style: TextStyle, hooks: TextHooks, loop: EventLoop) throws(MoontraceError) {
    guard isCapableTerminal(STDERR_FILENO), !Self.isPipe(data) else { return nil }
    self.style = style
    suspension = try SignalSource([SIGTSTP], loop: loop) { [unowned self] _ in
      erase()
      suspendProcess()
    }
    hooks.willAppear = { [weak self] in self?.erase() }
    hooks.didAppear = { [weak self] isWholeLine in self?.textAppeared(isWholeLine) }
  }

  private static func isPipe(_ descriptor: Int32) -> Bool {
    var about = stat()
    guard fstat(descriptor, &about) == 0 else { return true }
    return [S_IFIFO, S_IFSOCK].contains(about.st_mode & S_IFMT)
  }

  /// Shows how far the run has come; once a second.
  func update(_ run: RunProgress) {
    let width = TerminalSize(of: STDERR_FILENO).columns - 1  // a full line would wrap
    let text = DisplayWidth.clip(progress.text(run), width)
    shown = Array((run.lost > 0 ? style.bad(text) : style.quiet(text)).utf8)
    if isForeground { draw() }
  }

  /// Erases the line for good.
  func close() {
    erase()
    shown = nil
    suspension?.close()
    suspension = nil
  }

  private func textAppeared(_ isWholeLine: Bool) {
    isLineBroken = !isWholeLine
    if isForeground { draw() }
  }

  /// The rest of the screen too: a window that became narrower may have broken the line in two.
  private func draw() {
    guard let shown, !isLineBroken, isWritable else { return }
    write(Array("\r\u{1b}[J".utf8) + shown + Array("\r".utf8))
    isDrawn = true
  }

  private func erase() {
    guard isDrawn else { return }
    write(Array("\r\u{1b}[J".utf8))
    isDrawn = false
  }

  private func write(_ bytes: [UInt8]) {
    try? writeAll(STDERR_FILENO, bytes, name: "stderr")
  }

  private var isForeground: Bool {
    let group = tcgetpgrp(STDERR_FILENO)
    return group < 0 || group == getpgrp()  // negative: not our terminal, so that no shell of ours waits for it
  }

  private var isWritable: Bool {
    var entry = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
    return poll(&entry, 1, 0) == 1 && entry.revents & Int16(POLLOUT) != 0
  }
}
