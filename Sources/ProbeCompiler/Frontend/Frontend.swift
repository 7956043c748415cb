import BPFAssembly
import BTF
import LuaBytecode
import Support

/// Reads a probe function's bytecode and writes the IR that does the same.
///
/// It runs the function once over values of which only the kind is known: constants are calculated, branches on
/// constants are followed on one side only, calls of local functions are followed into them. Where ways meet, values
/// meet as parameters of a block; a loop becomes a function of its own (see `IRProgram`).
struct Frontend {
  struct Result {
    var program: IRProgram
    var maps: [ProbeMap]
    var places: [SourcePlace]
  }

  let host: any ProbeHost
  let types: () throws(MoontraceError) -> TypeGraph?
  var schema: ProbeSchema
  let context: ProbeContext
  let stream: Int
  /// Whether unknown types are an error: another probe may still show them otherwise.
  let isFinal: Bool
  private let functions: FunctionCache

  var process: Int32?
  var startTime: Int64 = 0

  var builder = Builder()
  var places: [SourcePlace] = []
  /// Registers and objects at the place that is being compiled.
  var state = State(registers: [])
  /// False behind what never goes on, such as `error` or a failed check that always fails.
  var isReachable = true
  /// The functions that are being followed, outermost first.
  var frames: [Frame] = []
  /// In a loop body: where it says how it ended.
  var loopOutcomes: [SlotID] = []
  var objectCount = 0
  /// Objects below this number are from before the loop at hand.
  var firstObjectOfLoop = 0
  /// Tables that loops assign to, from before them.
  var assignedObjects: Set<ObjectID> = []
  /// What the registers of loops needed in earlier tries of the loops around them, by call path and header.
  var knownShapes: [[Int]: [Carried.Place: Shape]] = [:]
  /// The instruction that is being compiled.
  var pc = 0
  /// The probe's context, made once in its entry block.
  var contextValue: IROperand = .constant(0)
  /// Where numbers come from that may be written back changed.
  var origins: [Origin.Key: Origin] = [:]
  /// Numbers of which C has names for the values.
  var enumerations: [Origin.Key: DataType.Enumeration] = [:]
  /// Where loop bodies find the probe's arguments, by their source.
  var argumentSlots: [ProbeContext.Argument.Source: SlotID] = [:]
  /// One past the last register that the last open list of values filled.
  var openEnd = 0
  /// The same for the values that are there on every way; behind them some ways may have put nil for what is missing.
  var openLeast = 0
  /// What loops in loops may still run in all; in memory from the first of them on, before the outermost loop.
  var loopBudget: SlotID?
  let work = Work()
  /// Why a probe may not do something to the system; nil when it may.
  var objection: (KernelChange) -> MoontraceError? = { _ in nil }
  /// Whether a type that another probe may still show is missing.
  var isWaiting = false

  struct Frame {
    var function: HostReference
    var prototype: LuaPrototype
    var flow: Flow
    /// Where the values it returned are collected; nil for the probe itself.
    var returns: [Return]? = []
    /// What the caller goes on with.
    var callerRegisters: [Value] = []
    var callPC = 0
  }

  struct Return {
    var values: [Value]
    /// How many of them are there on every way to here; nil for all.
    var least: Int?
    var edge: Edge
  }

  init(
    host: any ProbeHost, types: @escaping () throws(MoontraceError) -> TypeGraph?, schema: ProbeSchema,
    context: ProbeContext, stream: Int, isFinal: Bool, functions: FunctionCache
  ) {
    self.host = host
    self.types = types
    self.schema = schema
    self.context = context
    self.stream = stream
    self.isFinal = isFinal
    self.functions = functions
  }

  mutating func compile(_ function: HostReference) throws(MoontraceError) -> Result {
    var frame = try makeFrame(function)
    frame.returns = nil
    frames = [frame]
    contextValue = builder.emit(.context)
    state = State(registers: Array(repeating: .nil, count: frame.prototype.maxStackSize))
    if frame.prototype.parameterCount > 0 { state.registers[0] = .arguments }
    if context.isPreemptible { shareScratch() }
    let start = builder.newBlock()
    if let process, context.isSystemWide { leaveUnless(process, start) } else { builder.jump(to: start) }
    _ = try runRegion(nil, from: 0, Edge(block: start, state: state))
    return Result(program: builder.finish(), maps: builder.maps, places: places)
  }

  /// Goes to `start` in the one process that is traced, and ends the run elsewhere.
  private mutating func leaveUnless(_ process: Int32, _ start: BlockID) {
    let elsewhere = builder.newBlock()
    let current = builder.binary(.rsh, builder.call(.getCurrentPidTgid), .constant(32))
    builder.branch(.eq, current, .constant(Int64(process)), start, elsewhere)
    builder.move(to: elsewhere)
    builder.exit()
  }

  /// Another task may run the same probe on this CPU in the middle of a run.
  private mutating func shareScratch() {
    let counter = failureCounter(
      ProbeSchema.FailurePlace(
        source: frame.prototype.sourceName, line: frame.prototype.lineDefined,
        message: "\(context.spec) was hit in more than \(ScratchSharing.copies) tasks at once on one CPU"))
    builder.shareScratch(ScratchSharing(busy: counter))
  }

  func makeFrame(_ function: HostReference) throws(MoontraceError) -> Frame {
    try functions.frame(of: function) { () throws(MoontraceError) in
      let prototype = try host.prototype(of: function)
      if prototype.isVararg {
        throw Refusal.at(prototype, 0, "a probe function can't take '...'", "name its parameters")
      }
      return Frame(function: function, prototype: prototype, flow: try Flow(prototype))
    }
  }

  /// The function that is being followed. Inlined, so that only the part that is asked for is copied.
  @inline(__always)
  var frame: Frame { frames[frames.count - 1] }

  /// Notes a way on which the function at hand returns to its caller.
  mutating func noteReturn(_ values: [Value], least: Int? = nil, _ edge: Edge) {
    frames[frames.count - 1].returns?.append(Return(values: values, least: least, edge: edge))
  }

  var code: [LuaInstruction] { frame.prototype.instructions }
  var constants: [LuaConstant] { frame.prototype.constants }

  /// The error for what can't be compiled at the instruction at hand.
  func refusal(_ message: String, _ remedy: String? = nil) -> MoontraceError {
    Refusal.at(frame.prototype, pc, message, remedy)
  }

  /// Makes what is written next belong to the instruction's line.
  mutating func setPlace() {
    let line = frame.prototype.line(at: pc) ?? frame.prototype.lineDefined
    let place = SourcePlace(source: frame.prototype.sourceName, line: line)
    if let index = places.lastIndex(of: place) {
      builder.place = UInt32(index + 1)
    } else {
      places.append(place)
      builder.place = UInt32(places.count)
    }
  }

  /// What messages call the value in a register: ` (local 'x')`, or nothing.
  func variable(_ register: Int) -> String {
    frame.prototype.localName(register: register, at: pc).map { " (local '\($0)')" } ?? ""
  }
}
