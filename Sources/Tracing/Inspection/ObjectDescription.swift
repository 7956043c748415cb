import Recipes
import Support

/// A program written in C, unloaded: what it and its package say.
public struct ObjectDescription: Sendable {
  /// One program of the object.
  public struct Program: Equatable, Sendable {
    public var name: String
    /// libbpf's name: `tracepoint`, `sched_cls`.
    public var type: String
    public var section: String
    /// Where it would be attached: a section or a SPEC; nil when nothing says.
    public var place: String?
    /// Why it is not attached by itself, or what was chosen for it.
    public var notes: [String] = []
    /// What its package says beside the section: `ifindex=2`.
    public var annotations: [String] = []
    /// The helpers that its code calls; those of functions that are not inlined are the object's.
    public var helpers: [String]
    public var instructionCount: Int
    /// Why attaching it can change what the system does, one clause each.
    public var kernelWrites: [String]
  }

  /// A global variable as an option.
  public struct Option: Equatable, Sendable {
    public var option: RecipeOption
    public var variable: String
    /// As C spells it.
    public var type: String
  }

  /// What it takes of types.
  public struct Types: Equatable, Sendable {
    /// Bytes of the object's own BTF.
    public var size: Int
    /// CO-RE relocations.
    public var relocationCount: Int
    /// The kernel types that they are about: `struct task_struct`.
    public var kernelTypes: [String]
    /// The kind of processor whose registers the programs read: `x86`; nil when they read none.
    public var registers: String?
    /// The kernels whose BTF an archive brings along: `ubuntu/20.04/x86_64/5.4.0-90-generic`.
    public var archivedKernels: [String]
  }

  public var file: FileDescription
  /// The object inside, when the file is not the object.
  public var object: FileDescription?
  public var summary: String?
  public var version: String?
  public var license: String?
  public var programs: [Program]
  /// The helpers of functions that are not inlined.
  public var subprogramHelpers: [String]
  public var maps: [MapDescription]
  public var options: [Option]
  public var events: [EventDescription]
  public var types: Types
  /// What clang warns of.
  public var notes: [String]
}
