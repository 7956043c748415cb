import Packages
import Support
import Testing

/// The value of a JSON text.
func json(_ text: String) throws -> JSONValue {
  try JSONValue(json: Array(text.utf8), name: "x.json")
}

/// The value of a YAML text.
func yaml(_ text: String) throws -> JSONValue {
  try JSONValue(yaml: Array(text.utf8), name: "x.yaml")
}

func text(_ bytes: [UInt8]) -> String {
  String(decoding: bytes, as: UTF8.self)
}

/// What an action is refused with, as users read it; nil when it is not refused.
func refusal(_ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch let error as MoontraceError {
    #expect(error.code == .scriptFailed)
    return error.description
  } catch {
    Issue.record("an error of another kind: \(error)")
    return nil
  }
}
