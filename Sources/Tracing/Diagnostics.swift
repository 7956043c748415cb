import Glibc
import Support

/// What a session says on stderr: errors once, losses and warnings in their measure.
final class Diagnostics {
  private let quiet: Bool
  private let verbose: Bool
  /// Run before each line, so that data already produced stands before what is said of it.
  var beforeLine: () -> Void = {}
  /// Takes the lines in the place of stderr, while a live view has the terminal.
  var divert: ((String) -> Void)?
  private let style: TextStyle
  private let hooks: TextHooks
  /// Says where on the command line the lines of a script stand that was made from one.
  private let places: ScriptPlaces?
  private var repeats: [String: Int] = [:]
  private var order: [String] = []
  private var noted: Set<String> = []

  init(
    quiet: Bool, verbose: Bool, color: ColorChoice = .never, hooks: TextHooks = TextHooks(),
    places: ScriptPlaces? = nil
  ) {
    self.quiet = quiet
    self.verbose = verbose
    style = TextStyle(color, for: STDERR_FILENO)
    self.hooks = hooks
    self.places = places
  }

  /// An error; its detail too when the user asked for it.
  func report(_ error: MoontraceError) {
    line(error.text(style))
    if verbose, let detail = error.detail, !detail.isEmpty { line(detail) }
  }

  /// An error that may come again with every event: reported the first time, then counted.
  func reportOnce(_ error: MoontraceError) {
    let text = error.text(style)
    if let count = repeats[text] {
      repeats[text] = count + 1
      return
    }
    repeats[text] = 0
    order.append(text)
    report(error)
  }

  /// Tells how often each repeated error came again.
  func summarizeRepeats() {
    for text in order {
      if let count = repeats[text], count > 0 { line("\(text) (\(count) more \(count == 1 ? "time" : "times"))") }
    }
  }

  /// Something the user should know that is no error; silent with `--quiet`.
  func note(_ text: String) {
    if !quiet { line(text) }
  }

  /// The same for what would otherwise be said again and again.
  func noteOnce(_ text: String) {
    if noted.insert(text).inserted { note(text) }
  }

  /// A line as it is, without a measure.
  func line(_ text: String) {
    beforeLine()
    let text = places?.translate(text) ?? text
    if let divert { return divert(text) }
    hooks.willAppear()
    try? writeAll(STDERR_FILENO, Array("\(text)\n".utf8), name: "stderr")
    hooks.didAppear(true)
  }
}
