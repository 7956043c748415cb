/// A program with its labels resolved and its maps still symbolic.
public struct AssembledProgram: Equatable, Sendable {
  /// A `ld_imm64` whose first slot needs a map's descriptor.
  public struct MapUse: Hashable, Sendable {
    /// The first slot's index.
    public var index: Int
    public var map: MapReference
  }

  /// The most slots that the kernel takes from a privileged user (`BPF_COMPLEXITY_LIMIT_INSNS`).
  public static let largest = 1_000_000

  public let instructions: [Instruction]
  /// The compiler's source place of each slot; 0 for none.
  public let places: [UInt32]
  /// Ascending by index.
  public let mapUses: [MapUse]
  /// Where functions begin, ascending: 0 for the program itself, then its subprograms.
  public let entries: [Int]
  let targets: [Int?]

  /// The slot that a label is bound to; nil when it was never bound.
  public func index(of label: Label) -> Int? {
    targets.indices.contains(label.number) ? targets[label.number] : nil
  }

  /// The instructions as the kernel loads them, each map replaced by its descriptor.
  public func resolving(_ descriptor: (MapReference) -> Int32) -> [Instruction] {
    var resolved = instructions
    for use in mapUses { resolved[use.index].immediate = descriptor(use.map) }
    return resolved
  }
}
