import BPFAssembly
import Support

/// A program, and the IR that its instructions were made from.
struct GeneratedProgram {
  var assembled: AssembledProgram
  var intermediate: IRProgram
}

/// Who may use the stack.
enum StackPolicy: CaseIterable {
  /// Memory up to a limit, and the values that find no register.
  case shared
  /// Values only: all memory is in scratch.
  case values
  /// The values that can't be in scratch.
  case scarce
}

/// The program that an IR program becomes. Where the stack is too small for it, more goes to scratch.
///
/// - Parameter name: the program's name in error messages.
/// - Returns: what `KernelLoader` loads. `entries` are the probe and the loop bodies that are left, in the order of
///   `functions`: with more than one, the kernel wants BTF function info for each.
/// - Throws: `.unsupported` when the program needs more stack or instructions than the kernel grants.
func generate(_ program: IRProgram, name: String) throws(MoontraceError) -> GeneratedProgram {
  var refusal: MoontraceError?
  for policy in StackPolicy.allCases {
    do throws(MoontraceError) {
      var optimized = program
      try optimize(&optimized, policy)
      return GeneratedProgram(assembled: try emit(optimized, name: name), intermediate: optimized)
    } catch {
      guard error.code == .unsupported else { throw error }
      refusal = error
    }
  }
  throw refusal ?? StackUse.refusal(name, StackUse.largest)
}

/// Runs the passes over the IR, up to what is turned into instructions; `--dump ir` shows the outcome.
///
/// Passes `consume` what they are given and put their result in its place: shared arrays would be copied to be changed.
func optimize(_ program: inout IRProgram, _ policy: StackPolicy = .shared) throws(MoontraceError) {
  try check(program)
  for number in program.functions.indices {
    GuardLoops.run(&program.functions[number])
    Simplify.run(&program.functions[number])
  }
  for number in program.functions.indices where CommonValues.run(&program.functions[number]) {
    Simplify.run(&program.functions[number])
  }
  DeadCode.run(&program)
  ShareKeys.run(&program)
  for number in program.functions.indices {
    SplitConditions.run(&program.functions[number])
    MergeEnds.run(&program.functions[number])
  }
  try check(program)
  if policy == .scarce { NumbersInScratch.run(&program) }
  PlaceMemory.run(&program, stackLimit: policy == .shared ? PlaceMemory.usualStack : 0)
  try check(program)
}

/// In debug builds, proves that a pass has kept the rules.
private func check(_ program: IRProgram) throws(MoontraceError) {
  #if DEBUG
    try IRCheck.verify(program)
  #endif
}

/// Turns IR that `optimize` has prepared into instructions.
func emit(_ program: IRProgram, name: String) throws(MoontraceError) -> AssembledProgram {
  var assembler = Assembler(name: name)
  let entries = program.functions.map { _ in assembler.newLabel() }
  var frames: [Int32] = []
  let isReached = program.reachedFunctions()
  for number in program.functions.indices {
    guard isReached[number] else {
      frames.append(0)
      continue
    }
    var function = Lowering.lower(program, function: number)
    let allocation = try allocate(&function, name)
    frames.append(Emission.write(function, allocation, number: number, entries: entries, into: &assembler))
  }
  try StackUse(program, frames: frames).check(name)
  return try assembler.finish()
}

/// Gives all values registers; sends as many to the stack as that takes.
private func allocate(
  _ function: inout MachineFunction, _ name: String
) throws(MoontraceError) -> RegisterAllocator.Result {
  let firstReload = function.registerCount
  while true {
    let result = try RegisterAllocator.allocate(function, firstReload: firstReload)
    if result.spilled.isEmpty { return result }
    SpillCode.insert(for: result.spilled, into: &function, result.ranges)
    let size = Int(function.frameSize)
    if size > StackUse.largest { throw StackUse.refusal(name, size) }
  }
}

extension IRProgram {
  /// Which functions the probe calls, itself included: the kernel refuses instructions that nothing leads to.
  func reachedFunctions() -> [Bool] {
    var isReached = functions.indices.map { $0 == 0 }
    // Bodies stand behind their callers.
    for number in functions.indices where isReached[number] {
      for body in functions[number].bodies { isReached[body] = true }
    }
    return isReached
  }
}
