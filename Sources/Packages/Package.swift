/// A compiled C program with what its user half needs to know: the package format of eunomia-bpf.
public struct Package: Equatable, Sendable {
  /// The ELF file that clang made.
  public var object: [UInt8]
  public var meta: PackageMeta
  /// What stands beside them and this project does not know.
  public var other: [JSONMember] = []

  public init(object: [UInt8], meta: PackageMeta) {
    self.object = object
    self.meta = meta
  }
}
