/// What stands on the terminal where a session writes: a line that is being typed.
public protocol SharedTerminal: AnyObject {
  /// Makes room: the session is about to write whole lines. May be called again while hidden.
  func hide()
  /// The session has written what it had.
  func show()
}
