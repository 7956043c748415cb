/// How a program in C is compiled, and what is made of its events.
public struct BuildOptions: Sendable {
  public var architecture = TargetArchitecture.host
  /// A `vmlinux.h`, or BTF to make it from; the running kernel's when nil.
  public var typesPath: String?
  /// `-I`: searched before the headers carried inside.
  public var includeDirectories: [String] = []
  /// `-D`: `NAME` or `NAME=VALUE`.
  public var definitions: [String] = []
  /// A header all of whose structs are event types, as in eunomia-bpf.
  public var headerPath: String?
  /// Types of buffers' events, by map: `struct event`, or its name alone.
  public var eventTypes: [String: String] = [:]
  /// Written into the package as the tool that made it.
  public var toolVersion: String?

  public init() {}
}
