/// What a package says of its object: programs, maps, variables, and how their data are shown.
///
/// The fields are those of eunomia-bpf's `meta`; what this project does not know is kept in `other`, so that a package
/// that is read and written again loses nothing.
public struct PackageMeta: Equatable, Sendable {
  public var skeleton: Skeleton
  /// The event types; all are usable.
  public var exportTypes: [ExportedType] = []
  public var perfBufferPages = 64
  public var perfBufferMilliseconds = 10
  public var pollTimeoutMilliseconds = 100
  public var isVerbose = false
  public var printsHeader = false
  /// Whether each map exports by its own `ExportRule`; else one map exports `exportTypes[0]`.
  public var exportsEachMap = false
  /// The version of the tool that made the package.
  public var toolVersion: String?
  public var other: [JSONMember] = []

  public init(skeleton: Skeleton) {
    self.skeleton = skeleton
  }
}

/// `bpf_skel`: what the object holds.
public struct Skeleton: Equatable, Sendable {
  public var objectName: String
  public var sections: [DataSection] = []
  public var maps: [PackagedMap] = []
  public var programs: [PackagedProgram] = []
  public var documentation = Documentation()
  public var other: [JSONMember] = []

  public init(objectName: String) {
    self.objectName = objectName
  }
}

/// What the comment at `LICENSE` says of the whole.
public struct Documentation: Equatable, Sendable {
  public var version: String?
  public var brief: String?
  public var details: String?
  public var description: String?
  public var other: [JSONMember] = []

  public init() {}
}

/// The variables of `.rodata`, `.data` or `.bss`.
public struct DataSection: Equatable, Sendable {
  public var name: String
  public var variables: [PackagedVariable]
  public var other: [JSONMember] = []

  public init(name: String, variables: [PackagedVariable] = []) {
    self.name = name
    self.variables = variables
  }
}

/// A global variable, which becomes an option.
public struct PackagedVariable: Equatable, Sendable {
  public var name: String
  /// As C spells it.
  public var type: String
  public var value: JSONValue?
  public var description: String?
  public var argument: CommandArgument?
  public var other: [JSONMember] = []

  public init(name: String, type: String) {
    self.name = name
    self.type = type
  }
}

/// `cmdarg`: how a variable stands on the command line.
public struct CommandArgument: Equatable, Sendable {
  public var defaultValue: JSONValue?
  public var long: String?
  public var short: String?
  public var help: String?
  public var other: [JSONMember] = []

  public init() {}
}

/// An event type by its name, and its number among the types of the object.
public struct ExportedType: Equatable, Sendable {
  public struct Member: Equatable, Sendable {
    public var name: String
    public var type: String
    public var other: [JSONMember] = []

    public init(name: String, type: String) {
      self.name = name
      self.type = type
    }
  }

  public var name: String
  public var members: [Member]
  /// Bytes.
  public var size: Int
  /// The number of the type in the object's BTF.
  public var typeID: UInt32
  public var other: [JSONMember] = []

  public init(name: String, members: [Member], size: Int, typeID: UInt32) {
    self.name = name
    self.members = members
    self.size = size
    self.typeID = typeID
  }
}

/// A map, and what is done with what it holds.
public struct PackagedMap: Equatable, Sendable {
  public var name: String
  /// The name of its variable in a skeleton: `rodata` for `.rodata`.
  public var identifier: String
  public var isMapped = false
  public var sample: MapSample?
  public var export: ExportRule = .none
  public var interpreter: RecordInterpreter = .plain
  public var other: [JSONMember] = []

  public init(name: String, identifier: String) {
    self.name = name
    self.identifier = identifier
  }
}

/// How a map is shown again and again.
public struct MapSample: Equatable, Sendable {
  public enum Form: String, Sendable, CaseIterable {
    case logarithmic = "log2_hist"
    case linear = "linear_hist"
    case table = "default_kv"
  }

  public var milliseconds: Int
  public var form: Form
  public var unit: String
  /// Whether the map is emptied after each showing.
  public var clears: Bool
  public var other: [JSONMember] = []

  public init(milliseconds: Int, form: Form = .table, unit: String = "(unit)", clears: Bool = false) {
    self.milliseconds = milliseconds
    self.form = form
    self.unit = unit
    self.clears = clears
  }
}

/// `export_config`: where the type of a buffer's records comes from.
public enum ExportRule: Equatable, Sendable {
  case none
  /// The type of the map's values.
  case valueType
  case type(UInt32)
  case members([ExportedMember])
}

/// A member of a record that no single type describes.
public struct ExportedMember: Equatable, Sendable {
  public var name: String
  /// Bytes from the record's start.
  public var offset: Int
  public var typeID: UInt32
  public var other: [JSONMember] = []

  public init(name: String, offset: Int, typeID: UInt32) {
    self.name = name
    self.offset = offset
    self.typeID = typeID
  }
}

/// `intepreter`, spelled so in the format: what a buffer's records are.
public enum RecordInterpreter: Equatable, Sendable {
  case plain
  /// A process's stacks. `fields`, by role (`pid`, `cpu_id`, `comm`, `kstack_sz`, `ustack_sz`, `kstack`, `ustack`), the
  /// names of the record's members; roles that are missing are named as the role.
  case stacks(fields: [String: String], areNamed: Bool)
}

/// A program and where it is attached.
public struct PackagedProgram: Equatable, Sendable {
  public var name: String
  /// The section that it stands in: `tracepoint/sched/sched_switch`.
  public var section: String
  public var isAttached = true
  /// `ifindex`, `flags`, `xdpopts`, `tchook`, `tcopts`, Moontrace's own `attach_to` and what else annotations give, as they
  /// came.
  public var other: [JSONMember] = []

  public init(name: String, section: String) {
    self.name = name
    self.section = section
  }
}
