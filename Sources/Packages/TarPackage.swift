import Support

/// A package with the BTF of kernels that have none of their own: one tar archive.
///
/// It holds `package.json` (or `package.yaml`), the object beside it as a file of its own, and
/// `btfhub-archive/{ID}/{VERSION_ID}/{architecture}/{release}.btf`.
public struct TarPackage: Equatable, Sendable {
  public var package: Package
  public var kernels: [ArchivedTypes] = []

  public init(package: Package, kernels: [ArchivedTypes] = []) {
    self.package = package
    self.kernels = kernels
  }

  /// Reads an archive.
  ///
  /// Files that are none of a package's are passed over; the object is the one inside `package.json`.
  /// - Parameter name: what errors call the archive.
  /// - Throws: `.scriptFailed` when the archive or the package is malformed, or there is no package.
  public init(_ bytes: [UInt8], name: String) throws(MoontraceError) {
    let entries = try [TarEntry](tar: bytes, name: name)
    kernels = entries.compactMap { entry in
      SystemIdentity(archivePath: entry.path).map { ArchivedTypes(system: $0, btf: entry.bytes) }
    }
    for format in DataFormat.allCases {
      guard let entry = entries.first(where: { $0.path == "package.\(format.rawValue)" }) else { continue }
      package = try Package(entry.bytes, format, name: "\(name)(\(entry.path))")
      return
    }
    throw MoontraceError(
      .scriptFailed, "no package.json in the archive", remedy: "it holds \(Self.listing(entries))", location: name)
  }

  private static func listing(_ entries: [TarEntry]) -> String {
    if entries.isEmpty { return "nothing" }
    let shown = entries.prefix(5).map(\.path).joined(separator: ", ")
    return entries.count > 5 ? "\(shown) and \(entries.count - 5) more" : shown
  }

  /// The archive; the same package and types give the same bytes.
  ///
  /// - Throws: `.scriptFailed` when two kernels are the same, or the object's name is no file name.
  public func bytes() throws(MoontraceError) -> [UInt8] {
    let files = [
      TarEntry(path: "package.json", bytes: package.bytes(.json)),
      TarEntry(path: "\(package.meta.skeleton.objectName).bpf.o", bytes: package.object),
    ]
    return try (files + kernels.map { TarEntry(path: $0.system.archivePath, bytes: $0.btf) }).tar()
  }

  /// The BTF for a system; nil when the archive has none for exactly it.
  public func types(for system: SystemIdentity) -> [UInt8]? {
    kernels.first { $0.system == system }?.btf
  }
}

/// The BTF of one kernel.
public struct ArchivedTypes: Equatable, Sendable {
  public var system: SystemIdentity
  public var btf: [UInt8]

  public init(system: SystemIdentity, btf: [UInt8]) {
    self.system = system
    self.btf = btf
  }
}
