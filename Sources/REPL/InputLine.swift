/// What a reader of lines came to.
enum InputLine: Equatable {
  /// A line, without its end; what was pasted may have line ends inside.
  case text(String)
  /// Ctrl-C: what has been typed is dropped.
  case interrupted
  /// The end of the input: Ctrl-D.
  case end
  /// The session is over.
  case over
}

/// Where the lines come from.
protocol LineReader: AnyObject {
  /// The next line. Meanwhile the session goes on.
  func next(prompt: String) -> InputLine
}
