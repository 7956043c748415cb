import CEventCore
import LuaRuntime
import Support

/// How records and emitted values print on stdout.
public enum OutputFormat: String, CaseIterable, Sendable {
  /// Aligned columns under a header, for people.
  case table
  /// One JSON object a line.
  case json
  /// RFC 4180 rows under a header.
  case csv

  var core: mt_format {
    switch self {
    case .table: MT_FORMAT_TABLE
    case .json: MT_FORMAT_JSON
    case .csv: MT_FORMAT_CSV
    }
  }
}

/// A stage of compiling probes that `--dump` prints, or what compiling them costs.
public enum DumpStage: String, CaseIterable, Sendable {
  /// Lua's bytecode of the probe functions.
  case bytecode
  /// What the compiler makes of it before it chooses registers.
  case ir
  /// The BPF instructions.
  case bpf
  /// How long each probe takes to compile, and how many instructions it becomes.
  case cost
  /// What they would attach to.
  case targets
}

/// What the command line says about a program written in C that runs by itself.
public struct ProgramConfiguration: Equatable, Sendable {
  /// `PROGRAM=SPEC`: where programs are attached; `PROGRAM` alone asks for an optional one, `PROGRAM=none` leaves one out.
  public var attach: [String] = []
  /// `MAP=struct NAME`: how the records of buffers read.
  public var events: [String] = []
  /// `MAP[=FORM[,MILLISECONDS]]`: maps that are shown.
  public var samples: [String] = []
  /// `MAP=KEY[:VALUE]`: entries of maps that are there before the program runs.
  public var entries: [String] = []
  /// The directory of the cgroup that the program's maps of cgroups hold.
  public var cgroup: String?

  public init() {}
}

/// What the command line, or an embedding program, says about a run.
public struct SessionConfiguration: Sendable {
  /// What the script sees as `arg` and its recipe header parses.
  public var arguments: [String] = []
  /// The spellings of the command's own options, which are mistaken among the arguments.
  public var outerOptions: [String] = []
  /// Trace only this process, and end with it.
  public var pid: Int32?
  /// Shell command to start once probes are live; the trace ends with it.
  public var command: String?
  /// Seconds after which the trace ends.
  public var duration: Double?
  /// Records after which the trace ends.
  public var maxEvents: UInt64?
  public var format = OutputFormat.table
  /// File for data; stdout when nil.
  public var outputPath: String?
  /// File for a page about the run, made at its end; none when nil.
  public var reportPath: String?
  /// Bytes of every ring buffer. When nil, a buffer has the size its program gives it, or 8 MiB.
  public var ringBufferSize: Int?
  var capabilities = Capabilities.none
  public var quiet = false
  /// Whether data and messages are coloured.
  public var color = ColorChoice.auto
  /// Show aggregates, or what timers print, each second: on a terminal as a live view.
  public var top = false
  public var verbose = false
  public var statistics = false
  /// End at the first error in a handler or timer.
  public var strict = false

  /// Print a stage of the probes' compilation and end, without attaching anything.
  public var dump: DumpStage?

  /// What is done with a program written in C.
  public var program = ProgramConfiguration()
  /// Print what programs write with `bpf_printk`.
  public var tracePipe = false

  /// Find mistakes, and load and attach nothing: `checkScript`.
  var checksOnly = false

  /// Ends where the script declares its options: `recipeOptions(of:)`.
  var endsAtHeader = false

  /// Whether nothing goes into the kernel.
  var attachesNothing: Bool { checksOnly || dump != nil }

  public init() {}

  /// Grants capabilities in the form of `--allow`: `fs.read`, `fs.read=/etc`, `kernel.write`. Throws a usage error for
  /// what is none.
  public mutating func allow(_ capabilities: [String]) throws(MoontraceError) {
    self.capabilities = try Capabilities(allowing: capabilities)
  }
}
