import Glibc
import Testing

/// Lets a test or suite run only where it can; elsewhere it is skipped, and the reason is said.
///
/// With `CI` in the environment only what the kernel lacks may be skipped: anything else that is missing fails the test.
public struct Requirement: TestTrait, SuiteTrait {
  fileprivate let needs: [Need]
  fileprivate let absent: [Need]

  public var isRecursive: Bool { true }

  public func prepare(for test: Test) async throws {
    let missing = needs.filter { $0.problem != nil }
    if isCI, let need = missing.first(where: { $0.owner == .machine }) {
      throw MissingInCI(description: "\(need.explanation); in CI this may not be skipped")
    }
    let present = absent.filter { $0.problem == nil }
    let reasons = missing.map(\.explanation) + present.map { "this kernel has \($0.name)" }
    if !reasons.isEmpty { try Test.cancel(Comment(rawValue: reasons.joined(separator: "; "))) }
  }

  private var isCI: Bool { getenv("CI").map { String(cString: $0) == "true" } ?? false }
}

extension Trait where Self == Requirement {
  /// Needs all of these: `@Test(.requires(.root, .kprobes))`.
  public static func requires(_ needs: Need...) -> Self {
    Requirement(needs: needs, absent: [])
  }

  /// Needs a kernel without this, to see what users of such a kernel are told: `.requires(absent: .kprobes)`.
  public static func requires(_ needs: Need..., absent: Need) -> Self {
    Requirement(needs: needs, absent: [absent])
  }
}

struct MissingInCI: Error, CustomStringConvertible {
  let description: String
}

extension Need {
  /// `kprobes: CONFIG_KPROBES is off`
  var explanation: String { "\(name): \(problem ?? "is there")" }
}
