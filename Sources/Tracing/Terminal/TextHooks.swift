/// Whoever has drawn on the terminal where the session's text is about to appear: a status line, or a prompt.
///
/// `Output` and `Diagnostics` call these around each write to a terminal, so that what was drawn can make room and come
/// back. Nothing is called per event, and nothing where text goes to a file or a pipe.
///
/// ```swift
/// session.hooks.willAppear = { prompt.clear() }
/// session.hooks.didAppear = { isWholeLine in if isWholeLine { prompt.draw() } }
/// ```
final class TextHooks {
  var willAppear: () -> Void = {}
  /// Whether the text ended with its line; where it did not, drawing would break the line.
  var didAppear: (_ isWholeLine: Bool) -> Void = { _ in }
}
