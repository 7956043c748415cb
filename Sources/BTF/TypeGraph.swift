import Support
import Synchronization

/// The number of a type in its graph; 0 is `void`.
public typealias TypeID = UInt32

/// The types of one BTF blob: the kernel's, a module's or an object's.
///
/// Making one only finds where each type starts (milliseconds for the kernel's 5 MB); everything else is read when
/// asked for. Nothing in the blob is trusted: questions about ids that no type has are answered with `.void` and
/// empty names, and `layout(of:)` throws.
///
/// ```swift
/// let kernel = try TypeGraph(blob: readFile("/sys/kernel/btf/vmlinux"), name: "vmlinux")
/// if let task = kernel.find("task_struct", .struct) { print(try kernel.layout(of: task).size) }
/// ```
public final class TypeGraph: Sendable {
  /// What errors call the blob: a path or an object's name.
  public let name: String
  /// One past the last id.
  public let endID: TypeID
  /// The graph whose ids and names this one continues, when it is a kernel module's.
  public let base: TypeGraph?
  let blob: TypeBlob
  let firstID: TypeID
  let firstStringOffset: Int
  /// What searches for types of this blob have found, nil for nothing.
  let found = Mutex<[Search: TypeID?]>([:])

  /// Checks the blob's header and finds its types.
  ///
  /// - Parameter base: the kernel's graph, when the blob is a module's: split BTF continues the kernel's ids and names.
  /// - Throws: `.scriptFailed`, starting with `name`, when the blob is truncated, of another byte order or malformed.
  public init(blob: [UInt8], name: String, base: TypeGraph? = nil) throws(MoontraceError) {
    self.name = name
    self.base = base
    firstID = base?.endID ?? 1
    firstStringOffset = base?.endOfStrings ?? 0
    self.blob = try TypeBlob(blob, name: name, precedingStrings: firstStringOffset)
    endID = firstID + TypeID(self.blob.offsets.count)
  }

  var endOfStrings: Int { firstStringOffset + blob.strings.count }

  /// What a type is; `.void` for 0 and for ids that no type has.
  public func kind(of id: TypeID) -> TypeKind {
    record(id)?.kind ?? .void
  }

  /// A type's own name, without `struct` and the like; empty when it has none.
  public func name(of id: TypeID) -> String {
    record(id).map { text(at: $0.nameOffset) } ?? ""
  }

  /// The type behind typedefs, `const`, `volatile`, `restrict` and type tags; 0 when they lead nowhere.
  public func resolve(_ id: TypeID) -> TypeID {
    var id = id
    for _ in 0..<Self.maximumChain {
      guard let record = record(id), record.kind.isTransparent else { return id < endID ? id : 0 }
      id = record.sizeOrType
    }
    return 0
  }

  /// What a pointer points at, unresolved (0 is `void`); nil when the type is no pointer.
  public func pointee(of id: TypeID) -> TypeID? {
    record(resolve(id)).flatMap { $0.kind == .pointer ? $0.sizeOrType : nil }
  }

  /// How the bytes of a value of this type read.
  ///
  /// A variable reads as its type does. Structs that are only declared, functions and `void` have no bytes.
  /// - Throws: `.scriptFailed` when the type has no bytes, contains itself, is too large or is malformed.
  public func layout(of id: TypeID) throws(MoontraceError) -> ValueLayout {
    var builder = LayoutBuilder(graph: self)
    return try builder.layout(of: id)
  }

  /// The type as C writes it: `struct event *`, `unsigned int`, `char[16]`.
  public func spelling(of id: TypeID) -> String {
    var speller = TypeSpeller(graph: self)
    return speller.spell(id, around: "")
  }

  /// How many typedefs and qualifiers may stand before a type; the kernel's own limit is 32.
  static let maximumChain = 64
}

extension TypeGraph {
  /// One type's header and where its body lies.
  struct TypeRecord {
    let id: TypeID
    let kind: TypeKind
    let count: Int
    /// `kind_flag`: for structs, that members carry bit-field widths; for enums, that values are signed.
    let flag: Bool
    let nameOffset: UInt32
    let sizeOrType: UInt32
    /// The graph whose blob holds it: this one or its base.
    let owner: TypeGraph
    let body: Int

    /// The 32-bit word `index` of the body.
    func word(_ index: Int) -> UInt32 {
      owner.blob.word(at: body + 4 * index)
    }
  }

  func record(_ id: TypeID) -> TypeRecord? {
    if id < firstID { return base?.record(id) }
    guard id < endID else { return nil }
    let offset = Int(blob.offsets[Int(id - firstID)])
    let header = TypeHeader(blob.bytes, at: offset)
    guard let kind = header.kind else { return nil }
    return TypeRecord(
      id: id, kind: kind, count: header.count, flag: header.flag, nameOffset: header.nameOffset,
      sizeOrType: header.sizeOrType, owner: self, body: offset + TypeBlob.typeHeaderSize)
  }

  /// The string at an offset into the string section, cut at `limit` bytes; empty when there is none.
  func text(at offset: UInt32, limit: Int = TypeBlob.maximumNameLength) -> String {
    if Int(offset) < firstStringOffset { return base?.text(at: offset, limit: limit) ?? "" }
    return blob.text(at: Int(offset) - firstStringOffset, limit: limit)
  }

  /// Whether there is a string at an offset that is not empty.
  func hasText(at offset: UInt32) -> Bool {
    if Int(offset) < firstStringOffset, let base { return base.hasText(at: offset) }
    return blob.hasText(at: Int(offset) - firstStringOffset)
  }

  /// Whether the string at an offset is `needle`, without making a String of it.
  func text(at offset: UInt32, is needle: [UInt8]) -> Bool {
    if Int(offset) < firstStringOffset, let base { return base.text(at: offset, is: needle) }
    return blob.text(at: Int(offset) - firstStringOffset, is: needle)
  }

  /// How messages call a type: `struct 'event' (type 12)`.
  func describe(_ id: TypeID) -> String {
    let name = name(of: id)
    return name.isEmpty ? "\(kind(of: id)) (type \(id))" : "\(kind(of: id)) '\(name)' (type \(id))"
  }

  func failure(_ message: String) -> MoontraceError {
    MoontraceError(.scriptFailed, "\(name): \(message)")
  }
}
