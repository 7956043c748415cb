import Support

/// A place in the program, to jump to or call; made by `Assembler.newLabel()`.
public struct Label: Hashable, Sendable {
  let number: Int
}

/// A map as the compiler counts maps; it becomes a descriptor in `AssembledProgram.resolving(_:)`.
public struct MapReference: Hashable, Sendable {
  public let id: Int

  public init(id: Int) {
    self.id = id
  }
}

/// Writes a BPF program instruction by instruction; labels may be used before they are bound.
///
/// Only instructions of the CPU version 3 are written, which Linux 5.12 and later know.
///
/// ```swift
/// var assembler = Assembler(name: "count")
/// let end = assembler.newLabel()
/// assembler.move(.r6, .r1)
/// assembler.jump(if: .eq, .r6, 0, to: end)
/// assembler.bind(end)
/// assembler.loadImmediate(.r0, 0)
/// assembler.exit()
/// let program = try assembler.finish()
/// ```
public struct Assembler: Sendable {
  /// The program's name in error messages.
  public let name: String
  /// The compiler's number for the source place that the next instructions come from; 0 for none.
  public var place: UInt32 = 0
  /// How many slots are written so far: the index of the next instruction.
  public var count: Int { instructions.count }

  private var instructions: [Instruction] = []
  private var places: [UInt32] = []
  private var maps: [AssembledProgram.MapUse] = []
  /// The index that each label is bound to; nil before `bind`.
  private var targets: [Int?] = []
  private var boundTwice = false
  private var references: [Reference] = []

  /// An instruction that needs a label's index.
  private struct Reference: Sendable {
    enum Kind: Sendable { case jump, call, address }
    var index: Int
    var label: Label
    var kind: Kind
  }

  public init(name: String) {
    self.name = name
  }

  public mutating func newLabel() -> Label {
    targets.append(nil)
    return Label(number: targets.count - 1)
  }

  /// Makes the next instruction the label's target; binding a label again is an error of `finish()`.
  public mutating func bind(_ label: Label) {
    guard targets.indices.contains(label.number), targets[label.number] == nil else {
      boundTwice = true
      return
    }
    targets[label.number] = count
  }

  mutating func emit(_ instruction: Instruction) {
    instructions.append(instruction)
    places.append(place)
  }

  mutating func emitJump(_ instruction: Instruction, to label: Label) {
    references.append(Reference(index: count, label: label, kind: .jump))
    emit(instruction)
  }

  mutating func emitCall(_ label: Label) {
    references.append(Reference(index: count, label: label, kind: .call))
    emit(Instruction(code: Opcode.call, source: Pseudo.subprogramCall))
  }

  mutating func emitAddress(_ destination: Register, of label: Label) {
    references.append(Reference(index: count, label: label, kind: .address))
    emitWide(destination, source: Pseudo.function, low: 0, high: 0)
  }

  mutating func emitMap(_ destination: Register, source: UInt8, _ map: MapReference, offset: Int32) {
    maps.append(.init(index: count, map: map))
    emitWide(destination, source: source, low: 0, high: offset)
  }

  mutating func emitWide(_ destination: Register, source: UInt8, low: Int32, high: Int32) {
    emit(
      Instruction(
        code: Opcode.loadImmediate64, destination: destination.rawValue, source: source, immediate: low))
    emit(Instruction(code: 0, immediate: high))
  }

  /// The finished program, its labels resolved.
  ///
  /// Jumps reach 32,767 slots and are not stretched: a program that needs more is refused. Subprograms are called
  /// over any distance, so a large program fits when its parts are subprograms.
  ///
  /// - Throws: `.unsupported` when a jump is too far or the program longer than the kernel takes; `.scriptFailed`
  ///   when a label in use is not bound to an instruction, or bound twice, which is the compiler's fault.
  public func finish() throws(MoontraceError) -> AssembledProgram {
    if boundTwice { throw fault("a label is bound twice") }
    guard count <= AssembledProgram.largest else {
      throw tooLarge("it has \(count) instructions, the kernel takes \(AssembledProgram.largest)")
    }
    var resolved = instructions
    var entries: Set<Int> = [0]
    for reference in references {
      let target = try target(of: reference)
      if reference.kind != .jump { entries.insert(target) }
      try resolve(&resolved[reference.index], reference, distance: target - reference.index - 1)
    }
    return AssembledProgram(
      instructions: resolved, places: places, mapUses: maps, entries: entries.sorted(), targets: targets)
  }

  private func resolve(
    _ instruction: inout Instruction, _ reference: Reference, distance: Int
  ) throws(MoontraceError) {
    guard reference.kind == .jump else {
      // At most `largest` slots, checked before.
      instruction.immediate = Int32(distance)
      return
    }
    guard let offset = Int16(exactly: distance) else {
      throw tooLarge("instruction \(reference.index) jumps over \(abs(distance)) others, a jump reaches 32767")
    }
    instruction.offset = offset
  }

  private func target(of reference: Reference) throws(MoontraceError) -> Int {
    guard targets.indices.contains(reference.label.number), let target = targets[reference.label.number] else {
      throw fault("instruction \(reference.index) uses a label that is bound nowhere")
    }
    guard target < count else { throw fault("instruction \(reference.index) leads behind the last one") }
    return target
  }

  private func tooLarge(_ reason: String) -> MoontraceError {
    MoontraceError(
      .unsupported, "program '\(name)' is too large: \(reason)", remedy: "split it into several functions")
  }

  private func fault(_ reason: String) -> MoontraceError {
    MoontraceError(.scriptFailed, "program '\(name)' is wrong: \(reason)", remedy: "please report this as a bug")
  }
}
