import BPFAssembly
import BTF

/// How a value lies in kernel memory: in an event, as a map's key, as a map's value.
///
/// Everything is aligned to 8 bytes and has no padding inside, so that keys compare byte by byte.
public indirect enum DataType: Hashable, Sendable {
  /// A Lua integer: 8 bytes, signed.
  case integer
  /// 8 bytes, 0 or 1.
  case boolean
  /// Text up to the first NUL, or all `capacity` bytes, a multiple of 8; in keys, the rest is zero.
  case string(capacity: Int32)
  /// Text of which any byte may be 0: 8 bytes with its length, and `capacity` bytes behind them, a multiple of 8, of
  /// which those that the text leaves are zero.
  case bytes(capacity: Int32)
  /// An integer whose values have names, in the user half the same as a field of this type of a C record: 8 bytes.
  case enumeration(Enumeration)
  /// 8 bytes, an integer in the user half.
  case address(of: PointerTarget)
  case record([Field])
  case tuple([DataType])
  /// A value or nil: 8 bytes, 1 or 0, and the value behind them.
  case optional(DataType)
  /// A number of which the user half makes something else (an address that is a symbol, a stack): 8 bytes each word.
  case named(Naming, words: Int32)

  public struct Field: Hashable, Sendable {
    public var name: String
    public var type: DataType

    public init(name: String, type: DataType) {
      self.name = name
      self.type = type
    }
  }

  /// What the user half makes of raw words.
  public enum Naming: Hashable, Sendable {
    case kernelSymbol
    /// The address, and the process.
    case userSymbol
    /// The id in the stack map for stacks of `depth` frames. Of those that may begin with the program's own frames,
    /// `frames` others are shown.
    case kernelStack(depth: Int32, frames: Int32?)
    /// The id in the stack map for stacks of so many frames, and the process.
    case userStack(depth: Int32)
    /// An IPv4 address.
    case address4
    /// An IPv6 address.
    case address6
    /// An address of either kind: two words, and behind them how many bytes of them it takes, 4 or 16.
    case address
  }

  /// What C calls an integer's values.
  public struct Enumeration: Hashable, Sendable {
    public struct Name: Hashable, Sendable {
      public var name: String
      /// Of unsigned 64-bit ones, the same bits.
      public var value: Int64
    }

    public var isSigned: Bool
    /// In declaration order.
    public var names: [Name]
  }

  /// Bytes, a multiple of 8.
  public var size: Int32 {
    switch self {
    case .integer, .boolean, .address, .enumeration: 8
    case .string(let capacity): capacity
    case .bytes(let capacity): 8 + capacity
    case .record(let fields): fields.reduce(0) { $0 + $1.type.size }
    case .tuple(let items): items.reduce(0) { $0 + $1.size }
    case .optional(let type): 8 + type.size
    case .named(_, let words): 8 * words
    }
  }
}

/// What the probes of one script share, with the types that the compiler has inferred so far.
public struct ProbeSchema: Sendable {
  public var maps: [MapType] = []
  public var aggregates: [AggregateType] = []
  public var globals: [GlobalsType] = []
  /// The events that probes send; an event's number is its index and stands in the first 8 bytes of its record.
  public var events: [EventType] = []
  /// The places at which a run of a probe can end with an error, by the index of their counter.
  public var failures = firstFailures
  /// How many of the events are those of earlier batches, whose numbers are taken.
  var settledEventCount = 0
  /// How many streams there are.
  public var streamCount = 0
  /// What all records of a stream have in common: its columns.
  var streamRecords: [Int: DataType] = [:]

  public init() {}

  /// The stream of the events that end the session: `exit(code)` in a probe, the code in the field `value`.
  public static let exitStream = -1

  /// Counter 0 counts events that the ring buffer had no room for.
  static let firstFailures = [FailurePlace(source: "", line: 0, message: "lost events")]

  /// What inference may still change.
  struct Types: Equatable {
    var maps: [MapType]
    var aggregates: [AggregateType]
    var streamRecords: [Int: DataType]
  }

  var types: Types { Types(maps: maps, aggregates: aggregates, streamRecords: streamRecords) }

  /// The types that `map{}` was given or that uses have shown; nil while nothing has.
  public struct MapType: Hashable, Sendable {
    /// As the script names it, for messages.
    public var name: String
    public var maximum: UInt32
    public var isPerCPU: Bool
    public var key: DataType?
    public var value: DataType?
    /// Whether the map is there: its types stay what they are, whatever later probes do with it.
    public var isSettled = false

    public init(name: String, maximum: UInt32, isPerCPU: Bool = false, key: DataType? = nil, value: DataType? = nil) {
      self.name = name
      self.maximum = maximum
      self.isPerCPU = isPerCPU
      self.key = key
      self.value = value
    }
  }

  public struct AggregateType: Hashable, Sendable {
    public enum Function: Hashable, Sendable {
      case count, sum, average, minimum, maximum, statistics
      case histogram
      case linear(low: Int64, high: Int64, step: Int64)

      /// The most buckets of a linear histogram: more than anybody reads.
      private static let mostBuckets: Int64 = 10_000

      /// What is wrong with the bounds of a linear histogram; nil when nothing is.
      public static func problem(low: Int64, high: Int64, step: Int64) -> String? {
        guard low < high, step > 0 else { return "lhist: expected low < high and a step above 0" }
        let (width, overflow) = high.subtractingReportingOverflow(low)
        if overflow { return "lhist: \(low) and \(high) are further apart than 64 bits hold" }
        guard linearBuckets(width, step) > mostBuckets else { return nil }
        return "lhist: from \(low) to \(high) by \(step) are more than \(mostBuckets) buckets (take a larger step)"
      }

      /// Buckets between the bounds, those outside of them aside.
      static func linearBuckets(_ width: Int64, _ step: Int64) -> Int64 { (width - 1) / step + 1 }

      /// How many buckets a histogram has; nil for what is none.
      public var bucketCount: Int? {
        switch self {
        case .histogram: 2 + 63
        case .linear(let low, let high, let step): 2 + Int(Self.linearBuckets(high - low, step))
        default: nil
        }
      }
    }
    public var name: String
    public var function: Function
    /// The user's key; nil while no use has shown it, `.tuple([])` for none.
    public var key: DataType?
    /// Whether its map is there: the key stays of this type.
    public var isSettled = false

    public init(name: String, function: Function, key: DataType? = nil) {
      self.name = name
      self.function = function
      self.key = key
    }
  }

  /// The scalars of one `global{}`, each 8 bytes in one map value.
  public struct GlobalsType: Hashable, Sendable {
    public var fields: [DataType.Field]

    public init(fields: [DataType.Field]) {
      self.fields = fields
    }
  }

  public struct EventType: Hashable, Sendable {
    public var stream: Int
    /// The record behind the 8 bytes of the event's number.
    public var record: DataType
    /// A `print` or `printf` of a probe: the format; its arguments are the record's fields.
    public var format: [UInt8]?
    /// `file:line` of that `print` or `printf`.
    public var place: String?
  }

  public struct FailurePlace: Hashable, Sendable {
    public var source: String
    public var line: Int
    public var message: String
  }
}

/// The maps behind a program, as `MapReference` ids: the loader gives each a descriptor.
public enum ProbeMap: Hashable, Sendable {
  case map(Int)
  case aggregate(Int)
  case globals(Int)
  /// The ring buffer that all events of a session go through.
  case events
  /// An array with one value: a 64-bit counter for each `FailurePlace`; counter 0 counts lost events.
  case counters
  /// A per-CPU array with one value, `scratchSize` bytes, of this program alone.
  case scratch
  /// Stack traces of up to so many frames.
  case stacks(depth: Int32)
  /// An array with one value of zeros, to start new elements from.
  case zeros
  /// An array with one value: a 64-bit number above 0 for each aggregate, in their order, of the time span that its least
  /// and greatest values belong to.
  case epochs
}

/// What an address leads to.
public enum PointerTarget: Hashable, Sendable {
  /// A type of the kernel, by its number in BTF, in kernel memory; type 0 where it is not known.
  case kernel(type: UInt32)
  /// The same in user memory, `depth` pointers away.
  case user(type: UInt32, depth: Int)
  /// The same, to what C calls this; looked up only when the pointer is followed.
  case spelled(String)

  /// Memory of a process, without a type.
  public static let user = PointerTarget.user(type: 0, depth: 0)

  private var isKernel: Bool { if case .kernel = self { true } else { false } }

  /// What either leads to; nil when one is in the kernel and one in a process.
  func joined(_ other: PointerTarget) -> PointerTarget? {
    if self == other { return self }
    guard isKernel == other.isKernel else { return nil }
    return isKernel ? .kernel(type: 0) : .user
  }
}
