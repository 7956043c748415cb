import BPFAssembly

/// Gives each slot its place, and the functions that use scratch its address.
///
/// Slots of one function go on the stack: the small ones, and then others while there is room, if every reader finds
/// them written as a whole. Everything else goes in scratch. The address of scratch is looked up at
/// the probe's start. A loop body gets it through memory: the kernel takes only a stack address for the context of
/// `bpf_loop`, so each function that calls such a body leaves the address in an 8-byte slot, whose address it passes.
struct PlaceMemory {
  /// Slots up to this size are the first to go on the stack.
  private static let small: Int32 = 64
  /// How much of the 512 bytes of all frames slots usually take; the rest is for spilled values.
  static let usualStack: Int32 = 256

  /// The word at the start of shared scratch that says whether a run has claimed it.
  static let claimSize: Int32 = 8

  private var program: IRProgram
  private let stackLimit: Int32
  private var onStack: Int32 = 0
  /// By function, how much of its frame is taken.
  private var frames: [Int32]

  static func run(_ program: inout IRProgram, stackLimit: Int32 = usualStack) {
    let frames = Array(repeating: Int32(0), count: program.functions.count)
    var pass = PlaceMemory(program: consume program, stackLimit: stackLimit, frames: frames)
    pass.placeSlots()
    if pass.program.scratchSize > 0 { pass.handScratchAround() }
    program = pass.program
  }

  /// The 8-aligned size that a slot takes.
  private static func room(_ size: Int32) -> Int32 { (size + 7) & ~7 }

  private mutating func placeSlots() {
    var scratch: Int32 = program.sharing == nil ? 0 : Self.claimSize
    let start = scratch
    let users = soleUsers()
    let bySize = users.indices.filter { isSmall($0) } + users.indices.filter { !isSmall($0) }
    for slot in bySize {
      let room = Self.room(program.slots[slot].size)
      if case .function(let function) = users[slot], onStack + room <= stackLimit, mayBeOnStack(slot, in: function) {
        program.slots[slot].place = stackPlace(room, in: function)
      } else if users[slot] != .nobody {
        program.slots[slot].place = .scratch(offset: scratch)
        scratch += room
      }
    }
    program.scratchSize = scratch == start ? 0 : scratch
  }

  private func isSmall(_ slot: Int) -> Bool { Self.room(program.slots[slot].size) <= Self.small }

  private func mayBeOnStack(_ slot: Int, in function: Int) -> Bool {
    if program.slots[slot].isInScratch { return false }
    if isSmall(slot) { return true }
    let id = SlotID(number: Int32(slot))
    return InitializedSlots.areAllRead(id, size: program.slots[slot].size, in: program.functions[function])
  }

  private mutating func stackPlace(_ room: Int32, in function: Int) -> IRSlot.Place {
    onStack += room
    frames[function] += room
    return .stack(offset: -frames[function])
  }

  private enum User: Equatable {
    case nobody, several
    case function(Int)
  }

  /// Who uses each slot.
  private func soleUsers() -> [User] {
    var users = Array(repeating: User.nobody, count: program.slots.count)
    for (number, function) in program.functions.enumerated() {
      function.forEachOperand { operand in
        guard let slot = operand.slot?.index else { return }
        if users[slot] == .nobody { users[slot] = .function(number) }
        if users[slot] != .function(number) { users[slot] = .several }
      }
    }
    return users
  }

  // Functions that need the address of scratch: those that name a slot there, or call a body that needs it.

  private mutating func handScratchAround() {
    var needs = Array(repeating: false, count: program.functions.count)
    // Bodies stand behind their callers.
    for number in program.functions.indices.reversed() {
      let hands = program.functions[number].bodies.contains { needs[$0] }
      needs[number] = hands || usesScratch(program.functions[number])
      guard needs[number] else { continue }
      let base = program.functions[number].newValue()
      program.functions[number].scratchBase = base
      if hands { program.functions[number].handover = addStackSlot(in: number) }
      switch (number, program.sharing) {
      case (0, nil): lookUpScratch(base)
      case (0, let sharing?): claimScratch(base, sharing)
      default: receiveScratch(base, in: number)
      }
    }
  }

  private func usesScratch(_ function: IRFunction) -> Bool {
    var uses = false
    function.forEachOperand { operand in
      guard let slot = operand.slot?.index else { return }
      if case .scratch = program.slots[slot].place { uses = true }
    }
    return uses
  }

  private mutating func addStackSlot(in function: Int) -> SlotID {
    program.slots.append(IRSlot(size: 8, place: stackPlace(8, in: function)))
    return SlotID(number: Int32(program.slots.count - 1))
  }

  /// Stores the address where loop bodies find it.
  private func handover(_ base: ValueID, in function: Int) -> [IRInstruction] {
    program.functions[function].handover.map {
      [IRInstruction(operation: .store(.slot($0, 0), 0, .double, .value(base)))]
    } ?? []
  }

  /// `base = *context` at a loop body's start.
  private mutating func receiveScratch(_ base: ValueID, in function: Int) {
    let context = program.functions[function].newValue()
    let prologue = [
      IRInstruction(result: context, operation: .context),
      IRInstruction(result: base, operation: .load(.value(context), 0, .double, signed: false)),
    ]
    program.functions[function].blocks[0].instructions.insert(
      contentsOf: prologue + handover(base, in: function), at: 0)
  }

  /// `base = lookup(scratch, 0)` at the probe's start, which ends in the case that never happens: the value is missing.
  private mutating func lookUpScratch(_ base: ValueID) {
    let key = addStackSlot(in: 0)
    var prologue = IRBlock()
    prologue.instructions = [
      IRInstruction(operation: .store(.slot(key, 0), 0, .word, .constant(0))),
      IRInstruction(result: base, operation: .call(.mapLookupElem, [.map(program.scratch), .slot(key, 0)])),
    ]
    program.functions[0].blocks[0].instructions.insert(contentsOf: handover(base, in: 0), at: 0)
    let end = program.functions[0].insertEntry(prologue)
    program.functions[0].blocks[0].terminator = .branch(
      .eq, .value(base), .constant(0), IRTarget(block: end), IRTarget(block: BlockID(number: 1)))
  }
}

// Sharing.
extension PlaceMemory {
  /// Takes the first value of `scratch` that no other run on this CPU has, and gives it back at each end.
  private mutating func claimScratch(_ base: ValueID, _ sharing: ScratchSharing) {
    let key = addStackSlot(in: 0)
    program.functions[0].blocks[0].instructions.insert(contentsOf: handover(base, in: 0), at: 0)
    program.functions[0].blocks[0].parameters = [base]
    for block in program.functions[0].blocks.indices {
      guard case .exit = program.functions[0].blocks[block].terminator else { continue }
      program.functions[0].blocks[block].instructions.append(
        IRInstruction(operation: .store(.value(base), 0, .double, .constant(0))))
    }
    let tries = 2 * ScratchSharing.copies
    for block in program.functions[0].blocks.indices {
      program.functions[0].blocks[block].terminator.renumber { $0 + tries + 1 }
    }
    var claim: [IRBlock] = []
    for copy in 0..<ScratchSharing.copies { claim += tryToClaim(copy, key, busy: tries, start: tries + 1) }
    var busy = IRBlock(isCold: true)
    busy.instructions = [IRInstruction(operation: .atomic(.add, sharing.busy, 0, .constant(1), expected: nil))]
    program.functions[0].blocks = claim + [busy] + program.functions[0].blocks
  }

  /// Looks one value up; claims it unless it is claimed.
  private mutating func tryToClaim(_ copy: Int, _ key: SlotID, busy: Int, start: Int) -> [IRBlock] {
    let (value, before) = (program.functions[0].newValue(), program.functions[0].newValue())
    var look = IRBlock()
    look.instructions = [
      IRInstruction(operation: .store(.slot(key, 0), 0, .word, .constant(Int64(copy)))),
      IRInstruction(result: value, operation: .call(.mapLookupElem, [.map(program.scratch), .slot(key, 0)])),
    ]
    let claim = IRTarget(block: BlockID(index: 2 * copy + 1))
    look.terminator = .branch(.ne, .value(value), .constant(0), claim, IRTarget(block: BlockID(index: busy)))
    var take = IRBlock()
    take.instructions = [
      IRInstruction(
        result: before, operation: .atomic(.exchange, .value(value), 0, .constant(1), expected: nil))
    ]
    let next = copy + 1 < ScratchSharing.copies ? 2 * copy + 2 : busy
    take.terminator = .branch(
      .eq, .value(before), .constant(0), IRTarget(block: BlockID(index: start), arguments: [.value(value)]),
      IRTarget(block: BlockID(index: next)))
    return [look, take]
  }
}

extension IRFunction {
  /// Calls `body` with each operand of each instruction and terminator.
  func forEachOperand(_ body: (IROperand) -> Void) {
    for block in blocks {
      for instruction in block.instructions { instruction.operation.forEachOperand(body) }
      block.terminator.forEachOperand(body)
    }
  }

  /// The loop bodies that this function calls.
  var bodies: [Int] {
    var found: [Int] = []
    for block in blocks {
      for case .loop(let body, _) in block.instructions.lazy.map(\.operation) { found.append(body.index) }
    }
    return found
  }

  /// Puts a block before all others. The answer is a block that does nothing but exit with 0.
  fileprivate mutating func insertEntry(_ entry: IRBlock) -> BlockID {
    blocks.insert(entry, at: 0)
    for block in blocks.indices.dropFirst() { blocks[block].terminator.renumber { $0 + 1 } }
    let isPlainEnd = { (block: IRBlock) in
      block.instructions.isEmpty && block.parameters.isEmpty && block.terminator == .exit(.constant(0))
    }
    if let end = blocks.dropFirst().firstIndex(where: isPlainEnd) { return BlockID(index: end) }
    blocks.append(IRBlock(isCold: true))
    return BlockID(index: blocks.count - 1)
  }
}

extension IRTerminator {
  /// Gives the blocks that it leads to other numbers.
  mutating func renumber(_ number: (Int) -> Int) {
    switch self {
    case .jump(var target):
      target.block = BlockID(index: number(target.block.index))
      self = .jump(target)
    case .branch(let condition, let left, let right, var first, var second):
      first.block = BlockID(index: number(first.block.index))
      second.block = BlockID(index: number(second.block.index))
      self = .branch(condition, left, right, first, second)
    case .exit: break
    }
  }
}
