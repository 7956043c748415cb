/// The few colours that messages and pictures have; each reads well on a light and on a dark ground.
///
/// ```swift
/// let style = TextStyle(.auto, for: STDERR_FILENO)
/// line(style.alarming("moontrace:") + " " + text)
/// ```
public struct TextStyle: Sendable {
  public let isColored: Bool

  public init(isColored: Bool) {
    self.isColored = isColored
  }

  /// The style of text for a descriptor.
  public init(_ choice: ColorChoice, for descriptor: Int32) {
    isColored = choice.applies(to: descriptor)
  }

  public func heading(_ text: String) -> String { select("1", text) }
  /// What stands aside: status, hints on keys.
  public func quiet(_ text: String) -> String { select("2", text) }
  public func alarming(_ text: String) -> String { select("1;31", text) }
  /// What to do about it.
  public func helpful(_ text: String) -> String { select("36", text) }
  public func good(_ text: String) -> String { select("32", text) }
  public func bad(_ text: String) -> String { select("31", text) }
  /// A bar over the whole width, or the column that is chosen. Shown also where colours are off, for it is no colour.
  public func reversed(_ text: String) -> String { "\u{1b}[7m\(text)\u{1b}[0m" }

  /// Select Graphic Rendition (ECMA-48 §8.3.117).
  private func select(_ parameters: String, _ text: String) -> String {
    isColored && !text.isEmpty ? "\u{1b}[\(parameters)m\(text)\u{1b}[0m" : text
  }
}

extension MoontraceError {
  /// `location: message (remedy)`, as `description`, in colours where the style has any.
  public func text(_ style: TextStyle) -> String {
    let place = location.map { style.alarming("\($0):") + " " } ?? ""
    let advice = remedy.map { " " + style.helpful("(\($0))") } ?? ""
    return place + message + advice
  }
}
