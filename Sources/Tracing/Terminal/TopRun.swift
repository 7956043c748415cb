import LuaRuntime

/// `--top`: each second the run's aggregates, or what its timers print, on a live view or as plain blocks.
final class TopRun {
  /// nil where data goes to no terminal, or not as a table: then plain blocks follow one another.
  var screen: TopScreen?
  let isScreen: Bool
  /// Whether plain blocks begin with the time: where no program reads them.
  private let tellsTime: Bool
  /// The library's function that prints all aggregates and leaves them to be printed at the end.
  var printAggregates: LuaFunction?
  private var timerCount = 0
  /// Once a timer has printed something, timers make the picture.
  private var timersPrint = false
  private var progress = ProgressText()

  init(_ configuration: SessionConfiguration) {
    isScreen = configuration.hasTopScreen
    tellsTime = configuration.format == .table && !isScreen
  }

  /// A number for a new timer of the script; the aggregates' part of the picture is 0.
  func addTimer() -> Int {
    timerCount += 1
    return timerCount
  }

  /// Calls a timer's function, or the one that prints aggregates.
  func collect(part: Int, _ output: Output, _ body: () -> Void) {
    var hasPrinted = false
    if let screen {
      hasPrinted = screen.collect(part: part, body)
    } else {
      let before = output.position
      body()
      hasPrinted = output.position != before
    }
    if part > 0, hasPrinted { timersPrint = true }
  }

  /// Shows a second's picture.
  func tick(_ run: RunProgress, _ output: Output, call: (LuaFunction) -> Void) {
    if !timersPrint, let printAggregates {
      if tellsTime { output.write(formatTime("%H:%M:%S", nanoseconds: nil) + "\n") }
      collect(part: 0, output) { call(printAggregates) }
    }
    screen?.update(progress.text(run))
  }
}
