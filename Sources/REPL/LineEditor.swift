import CLineEditor
import Glibc
import Support
import Tracing

/// Lines that are typed at a terminal, with libedit: history, keys as in a shell, Tab. The session goes on while the user
/// types, and what it writes appears above the line. What is pasted is one text of as many lines.
final class LineEditor: LineReader, SharedTerminal {
  private let session: InteractiveSession
  private let completer: (String) -> Completion
  private let historyFile: HistoryFile
  private let editor: OpaquePointer
  private let history: OpaquePointer
  /// Kept for libedit, which asks for it with each refresh.
  private var prompt: UnsafeMutablePointer<CChar>
  private var isReading = false
  private var isHidden = false
  /// Bytes that were read and not handed over yet.
  private var typed: [UInt8] = []
  /// Why reading ended before the line did.
  private var ending: InputLine?

  /// - Parameter completer: from the text before the cursor.
  /// - Throws: `.unsupported` when the terminal can't be edited on.
  init(
    _ session: InteractiveSession, history file: HistoryFile = .standard, completer: @escaping (String) -> Completion
  ) throws(MoontraceError) {
    Self.useUTF8()
    guard let editor = le_open("moontrace"), let history = history_init() else {
      throw MoontraceError(.unsupported, "the terminal can't be used to edit lines")
    }
    (self.session, self.completer, historyFile) = (session, completer, file)
    (self.editor, self.history) = (editor, history)
    prompt = strdup("")
    try session.listen(to: STDIN_FILENO)
    setUp()
  }

  /// libedit counts the columns of characters by the locale's rules; what is typed and printed is UTF-8.
  private static func useUTF8() {
    setlocale(LC_CTYPE, "")
    if String(cString: nl_langinfo(Int32(CODESET))) != "UTF-8" { setlocale(LC_CTYPE, "C.UTF-8") }
  }

  private func setUp() {
    le_set_client_data(editor, Unmanaged.passUnretained(self).toOpaque())
    le_ignore_signals(editor)
    le_set_editor(editor, "emacs")
    le_set_prompt(editor) { editor in editor.flatMap { LineEditor.of($0)?.prompt } }
    le_set_reader(editor) { editor, character in
      guard let editor, let character, let this = LineEditor.of(editor) else { return -1 }
      return this.read(into: character)
    }
    le_bind(editor, "^I", "moontrace-complete") { editor, _ in
      editor.flatMap { LineEditor.of($0)?.complete() } ?? UInt8(CC_ERROR)
    }
    le_bind(editor, BracketedPaste.startKey, "moontrace-paste") { editor, _ in
      editor.flatMap { LineEditor.of($0)?.paste() } ?? UInt8(CC_ERROR)
    }
    le_bind_builtin(editor, "^R", "em-inc-search-prev")
    le_history_limit(history, Int32(HistoryFile.limit))
    for line in historyFile.load() { le_history_add(history, line) }
    le_use_history(editor, history)
  }

  private static func of(_ editor: OpaquePointer) -> LineEditor? {
    le_client_data(editor).map { Unmanaged<LineEditor>.fromOpaque($0).takeUnretainedValue() }
  }

  deinit {
    el_end(editor)
    history_end(history)
    free(prompt)
  }

  // MARK: Lines

  func next(prompt text: String) -> InputLine {
    free(prompt)
    prompt = strdup(text)
    ending = nil
    (isReading, isHidden) = (true, false)
    var count: Int32 = 0
    markPastes(true)
    let line = el_gets(editor, &count).map { String(cString: $0) }
    markPastes(false)
    isReading = false
    guard let line, ending == nil else { return leave(ending ?? .end) }
    let text = line.hasSuffix("\n") ? String(line.dropLast()) : line
    if !text.trimmed.isEmpty {
      le_history_add(history, text)
      historyFile.append(text)
    }
    return .text(text)
  }

  /// Leaves the line as it stands.
  private func leave(_ ending: InputLine) -> InputLine {
    moveToLastRow()
    write(ending == .interrupted ? "^C\n" : "\n")
    return ending
  }

  // MARK: Characters

  /// libedit's reader: 1 and a character, 0 at the end, -1 when something else is to be done.
  private func read(into character: UnsafeMutablePointer<wchar_t>) -> Int32 {
    while true {
      if let scalar = takeScalar() {
        show()
        character.pointee = wchar_t(scalar)
        return 1
      }
      let status = fill()
      if status != 1 { return status }
    }
  }

  /// Waits for more in `typed`: 1, or as `read(into:)` when nothing more comes.
  private func fill() -> Int32 {
    guard wait() else { return -1 }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = Glibc.read(STDIN_FILENO, &bytes, bytes.count)
    if count > 0 { typed += bytes[..<count] }
    return count > 0 || (count < 0 && (errno == EINTR || errno == EAGAIN)) ? 1 : 0
  }

  /// Whether there is something to read; else why not is in `ending`.
  private func wait() -> Bool {
    while true {
      switch wake() {
      case .input: return true
      case .resized: el_resize(editor)
      case .resumed:
        markPastes(true)
        le_prepare_terminal(editor, 1)
        le_refresh(editor)
      case .interrupted:
        typed = []
        ending = .interrupted
        return false
      case .ended:
        ending = .over
        return false
      }
    }
  }

  private func wake() -> InteractiveSession.Wake {
    do throws(MoontraceError) {
      return try session.wait()
    } catch {
      session.report(error)
      return .ended
    }
  }

  /// The next whole character of what was read; bytes that are no UTF-8 become U+FFFD.
  private func takeScalar() -> UInt32? {
    guard let first = typed.first else { return nil }
    let length = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
    guard typed.count >= length else { return nil }
    let scalar = String(decoding: typed[..<length], as: UTF8.self).unicodeScalars.first?.value
    typed.removeSubrange(..<length)
    return scalar
  }

  // MARK: Pasting

  private func markPastes(_ isOn: Bool) {
    guard getenv("TERM").map({ String(cString: $0) }) ?? "dumb" != "dumb" else { return }
    write(isOn ? BracketedPaste.on : BracketedPaste.off)
  }

  /// Inserts what comes up to the end of the paste, at once: its tabs and line ends are text, not keys.
  private func paste() -> UInt8 {
    var searched = 0
    while true {
      if let end = typed[searched...].firstRange(of: BracketedPaste.end) {
        let text = BracketedPaste.text(typed[..<end.lowerBound])
        typed.removeSubrange(..<end.upperBound)
        show()
        if !text.isEmpty { el_insertstr(editor, text) }
        return UInt8(CC_REFRESH)
      }
      searched = max(0, typed.count - BracketedPaste.end.count)
      guard fill() == 1 else { return UInt8(CC_EOF) }
    }
  }

  // MARK: The terminal

  func hide() {
    guard isReading, !isHidden else { return }
    isHidden = true
    le_flush()
    let rows = position(atCursor: true)
    write("\r" + (rows > 0 ? "\u{1b}[\(rows)A" : "") + "\u{1b}[J")
  }

  func show() {
    guard isReading, isHidden else { return }
    isHidden = false
    le_refresh(editor)
  }

  /// The row of the cursor or of the line's end, counted from the prompt's; of a line that is longer than the screen only
  /// its last rows are there.
  private func position(atCursor: Bool) -> Int {
    guard let line = el_wline(editor)?.pointee else { return 0 }
    let (columns, rows) = size
    var position = LinePosition(columns: columns, start: String(cString: prompt).unicodeScalars.count)
    for index in 0..<((atCursor ? line.cursor : line.lastchar) - line.buffer) {
      position.add(UInt32(bitPattern: line.buffer[index]), width: Int(le_width(line.buffer[index])))
    }
    return min(position.row, rows - 1)
  }

  /// What is written next stands below the line.
  private func moveToLastRow() {
    let rows = position(atCursor: false) - position(atCursor: true)
    if rows > 0 { write("\u{1b}[\(rows)B") }
  }

  private var size: (columns: Int, rows: Int) {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return (80, 24) }
    return (Int(size.ws_col), Int(size.ws_row))
  }

  private func write(_ text: String) {
    try? writeAll(STDOUT_FILENO, Array(text.utf8), name: "terminal")
  }

  // MARK: Completion

  private func complete() -> UInt8 {
    guard let line = el_line(editor)?.pointee else { return UInt8(CC_ERROR) }
    let before = UnsafeRawBufferPointer(start: line.buffer, count: line.cursor - line.buffer)
    let completion = completer(String(decoding: before, as: UTF8.self))
    let insertion = completion.insertion
    if !insertion.isEmpty, el_insertstr(editor, insertion) == 0 { return UInt8(CC_REFRESH) }
    guard completion.candidates.count > 1 else { return UInt8(CC_REFRESH_BEEP) }
    le_flush()
    moveToLastRow()
    write("\n" + completion.listing(columns: size.columns))
    le_refresh(editor)
    return UInt8(CC_NORM)
  }
}
