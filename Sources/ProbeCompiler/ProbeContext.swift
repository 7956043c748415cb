import BPFAssembly
import BTF

/// Where a probe runs: what the kernel hands it there, and how that reads.
public struct ProbeContext: Sendable {
  /// What the kernel lets a program do depends on this.
  public enum Kind: Sendable {
    case tracepoint, rawTracepoint
    case kernelProbe, kernelReturn
    case functionEntry, functionExit
    case userProbe, userReturn, usdt
    case perfEvent
    case iterator
  }

  /// The SPEC with its long name and without globs: `tracepoint:sched:sched_switch`.
  public var spec: String
  public var kind: Kind
  /// `args.NAME`, in order.
  public var arguments: [Argument]
  /// `arg0`, `arg1` …: what has no type. Empty where there are none.
  public var positional: [Argument.Source]
  /// `retval`; nil where there is none.
  public var result: Argument?
  /// `func`: the traced function's name; nil where there is none.
  public var function: String?
  /// `reg("NAME")`: where each register stands in the context, in bytes; empty where there are none.
  public var registers: [String: Int32]
  /// The types of the kernel module that the place is in, which continue the kernel's; nil for the kernel itself.
  public var moduleTypes: TypeGraph?
  /// Whether a kprobe stands where its function begins.
  public var isFunctionEntry = false

  public init(
    spec: String, kind: Kind, arguments: [Argument] = [], positional: [Argument.Source] = [], result: Argument? = nil,
    function: String? = nil, registers: [String: Int32] = [:]
  ) {
    self.spec = spec
    self.kind = kind
    self.arguments = arguments
    self.positional = positional
    self.result = result
    self.function = function
    self.registers = registers
  }

  /// One value that the kernel hands over.
  public struct Argument: Sendable {
    public var name: String
    public var source: Source
    public var type: ArgumentType

    public init(name: String, source: Source, type: ArgumentType) {
      self.name = name
      self.source = source
      self.type = type
    }

    /// Where it stands in the context, in bytes from its start.
    public enum Source: Hashable, Sendable {
      case word(offset: Int32, width: Width, signed: Bool)
      /// Text inside the context, this many bytes.
      case bytes(offset: Int32, size: Int32)
      /// A tracepoint's `__data_loc`: 32 bits at this offset that say where in the context the text stands.
      case location(offset: Int32)
      /// At an address in a register that the context holds (`-8(%rbp)` of a USDT argument): read from user memory.
      case memory(register: Int32, displacement: Int32, width: Width, signed: Bool)
      case constant(Int64)
    }
  }

  /// What an argument is.
  public enum ArgumentType: Hashable, Sendable {
    case integer
    case boolean
    /// An integer that has this type, an enum, in BTF.
    case enumeration(TypeID)
    /// The same, by what C calls it: `enum skb_drop_reason`; looked up only when a probe reads it.
    case spelledEnumeration(String)
    /// A pointer into kernel memory, to this BTF type (0: void).
    case kernelPointer(TypeID)
    /// A pointer into user memory, to what C calls this: `struct open_how *`; empty for what is not known.
    case userPointer(to: String)
    case text
  }

  /// Whether it sees all processes; others are attached to one where one is asked for.
  var isSystemWide: Bool {
    switch kind {
    case .tracepoint, .rawTracepoint, .kernelProbe, .kernelReturn, .functionEntry, .functionExit: true
    case .userProbe, .userReturn, .usdt, .perfEvent, .iterator: false
    }
  }

  /// Whether another task may run the same program on the same CPU in the middle of a run.
  var isPreemptible: Bool {
    switch kind {
    case .userProbe, .userReturn, .usdt: true
    default: false
    }
  }
}
