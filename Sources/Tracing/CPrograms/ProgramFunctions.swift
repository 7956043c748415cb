import CLuaBridge
import KernelLoader
import LuaRuntime
import Support

/// The host functions by which `api/program.lua` runs a program written in C.
extension TracingSession {
  func definePrograms(of program: ProgramSource) {
    let session = self
    runtime.define("program_open") { [unowned session] call throws(MoontraceError) in
      guard let number = try session.open(program) else {
        call.requestExit(0)
        return []
      }
      return [.integer(Int64(number))]
    }
    runtime.define("program_samples") { [unowned session] call throws(MoontraceError) in
      let object = session.objects[Int(try call.integer(1))]
      let samplings = try MapSampling.all(
        object.object, object.meta, wanted: session.configuration.program.samples)
      return [.table(LuaTable(list: samplings.map { .table($0.table) }))]
    }
    runtime.define("frame") { [unowned session] call throws(MoontraceError) in
      let (address, process) = (UInt64(bitPattern: try call.integer(1)), Int32(clamping: try call.integer(2)))
      // The kernel's half of the addresses is the upper one.
      let isKernels = address >> 63 == 1
      return [
        .text(
          isKernels
            ? session.kernelSymbols.place(of: address) : session.userSymbols.frame(at: address, process: process))
      ]
    }
    runtime.define("unsigned") { call throws(MoontraceError) in
      let (bits, isPointer) = (UInt64(bitPattern: try call.integer(1)), try call.boolean(2))
      guard mt_lua_push_unsigned(call.lua, bits, isPointer) else {
        throw MoontraceError(.scriptFailed, "not enough memory for a number")
      }
      return .pushed(1)
    }
    runtime.define("program_attach") { [unowned session] call throws(MoontraceError) in
      let object = session.objects[Int(try call.integer(1))]
      try session.attach(object)
      let isSilent = try !call.boolean(2) && !session.configuration.tracePipe
      if isSilent, let hint = object.object.hintWhenSilent {
        session.diagnostics.note("\(object.object.name): nothing of it is shown (\(hint))")
      }
      return []
    }
  }

  /// Opens the program and sets its options; its number among the objects, or nil when help was asked for.
  private func open(_ program: ProgramSource) throws(MoontraceError) -> Int? {
    let opened = try openNoting(program)
    let (object, meta) = (opened.object, opened.meta)
    let options = try ProgramOptions(object, meta, name: source.shortName)
    let (arguments, outer) = (configuration.arguments, configuration.outerOptions)
    guard try options.apply(arguments, pid: configuration.pid, outer: outer) else {
      output.write(options.helpText)
      recorder = nil
      return nil
    }
    if configuration.pid != nil, options.variable("pid") == nil, !object.programs.contains(where: \.canBeOfOneProcess) {
      diagnostics.note("\(object.name): --pid only ends the run with the process, for the program has no option pid")
    }
    let traced = try TracedObject(opened, in: self)
    for text in configuration.program.events { try traced.recordTypes.name(text) }
    let display = RecordDisplay(object, meta)
    for buffer in traced.buffers { buffer.display = display }
    objects.append(traced)
    return objects.count - 1
  }

  /// Opens a program, and passes on what its build says.
  func openNoting(_ program: ProgramSource) throws(MoontraceError) -> ProgramSource.Opened {
    let opened = try program.open()
    for note in opened.notes { diagnostics.note(note) }
    return opened
  }

  private func attach(_ object: TracedObject) throws(MoontraceError) {
    let plan = try AttachPlan(object.object, object.meta, wanted: configuration.program.attach)
    for note in plan.notes { diagnostics.note(note) }
    do throws(MoontraceError) {
      try object.attach(plan, prepare: prepareMaps)
    } catch  where error.code == .unsupported && error.remedy == nil {
      throw MoontraceError(
        .unsupported, error.message, remedy: "--attach PROGRAM=SPEC puts it elsewhere, =none leaves it out",
        location: error.location, detail: error.detail)
    }
  }

  /// Puts into the program's maps what the command line says.
  private func prepareMaps(of object: BPFObject) throws(MoontraceError) {
    if let cgroup = configuration.program.cgroup { try object.setCgroup(cgroup) }
    for text in configuration.program.entries { try MapEntryText(text, object).put() }
  }
}

extension BPFProgram {
  /// Whether attaching it takes a process: of uprobes, USDT and perf events.
  fileprivate var canBeOfOneProcess: Bool {
    type == .perfEvent || ["uprobe", "uretprobe", "usdt", "iter"].contains(where: section.hasPrefix)
  }
}
