import Packages
import Recipes
import Support

/// What `moontrace inspect` tells of a target.
public enum TargetDescription: Sendable {
  case program(ObjectDescription)
  case script(ScriptDescription)
}

/// The bytes that a target stands in.
public struct FileDescription: Equatable, Sendable {
  public var name: String
  /// What it is: `BPF object`, `package (JSON)`, `Lua script`.
  public var kind: String
  /// Bytes.
  public var size: Int
  /// As sha256sum(1) gives it, behind `sha256:`.
  public var digest: String

  init(_ bytes: [UInt8], name: String, kind: String) {
    self.name = name
    self.kind = kind
    size = bytes.count
    digest = "\(Digest(of: bytes))"
  }
}

/// A map or an aggregate.
public struct MapDescription: Equatable, Sendable {
  public var name: String
  /// As libbpf names it (`ringbuf`, `percpu_hash`); of an aggregate, its function.
  public var type: String
  /// Bytes; nil while nothing says.
  public var keySize: Int?
  /// Bytes; nil while nothing says.
  public var valueSize: Int?
  /// Of ring buffers, bytes; nil where the kernel chooses.
  public var maxEntries: Int?
  /// `BPF_F_…`.
  public var flags: UInt32 = 0
  /// The types' names.
  public var key: String?
  public var value: String?
  /// How its package has it shown; nil when it has not.
  public var sample: String?
}

/// The records of a buffer, or of a probe.
public struct EventDescription: Equatable, Sendable {
  public struct Member: Equatable, Sendable {
    public var name: String
    public var type: String?
    /// Bytes from the record's start.
    public var offset: Int
    /// Bytes; 0 for a flexible array.
    public var size: Int
    /// Set for bit-fields.
    public var bits: Bits?
  }

  /// The place of a bit-field's lowest bit, from its member's offset on, and its width.
  public struct Bits: Equatable, Sendable {
    public var offset: Int
    public var width: Int
  }

  /// The buffer, or the probe.
  public var source: String
  /// `struct event`; nil when nothing says what the records are, or it has no name.
  public var type: String?
  /// Bytes; nil when nothing says.
  public var size: Int?
  /// As C, with offsets.
  public var definition: String?
  public var members: [Member] = []
}

/// Says what a target is, what it would attach to, its options, maps and events. Nothing is loaded or attached; the main
/// part of a script runs as in `checkScript`.
///
/// ```swift
/// if case .program(let object) = try inspect(try .resolve("package.json"), SessionConfiguration()) {
///   print(object.programs.map(\.name))
/// }
/// ```
/// - Throws: what is wrong with a program or its package; `.usage` when a recipe does not take the arguments. What is
///   wrong with a script is in its description.
public func inspect(
  _ source: ScriptSource, _ configuration: SessionConfiguration
) throws(MoontraceError) -> TargetDescription {
  guard let program = source.program else { return .script(try ScriptDescription(source, configuration)) }
  return .program(try ObjectDescription(program, name: source.shortName))
}
