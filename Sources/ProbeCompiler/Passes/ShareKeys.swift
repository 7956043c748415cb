import BPFAssembly

/// Lets map operations share the memory of a key or value: slots that hold the same values and that nothing changes
/// become one, written once.
struct ShareKeys {
  /// A slot that is written in one block, each word once, and then only read by helpers.
  private struct Key {
    var block: Int
    /// Where its last word is written.
    var position: Int
    /// All words of the slot; nil for those that are not written.
    var words: [IROperand?]
  }

  private let slots: [IRSlot]
  private var keys: [Key?]
  /// Slots that are more than keys.
  private var isOther: [Bool]

  static func run(_ program: inout IRProgram) {
    var pass = ShareKeys(program.slots)
    var users: [Int?] = Array(repeating: nil, count: program.slots.count)
    for (number, function) in program.functions.enumerated() {
      pass.look(function, number, &users)
    }
    for (number, function) in program.functions.enumerated() {
      let own = users.indices.filter { users[$0] == number && pass.isComplete($0) }
      if own.count > 1 { pass.share(own, &program.functions[number], FlowGraph(function).immediateDominators()) }
    }
  }

  private init(_ slots: [IRSlot]) {
    self.slots = slots
    keys = Array(repeating: nil, count: slots.count)
    isOther = slots.map { $0.size % 8 != 0 }
  }

  // What slots are used for.

  private mutating func look(_ function: IRFunction, _ number: Int, _ users: inout [Int?]) {
    for (block, code) in function.blocks.enumerated() {
      for (position, instruction) in code.instructions.enumerated() {
        look(instruction.operation, block, position)
        instruction.operation.forEachOperand { operand in
          guard let slot = operand.slot?.index else { return }
          if let user = users[slot], user != number { isOther[slot] = true }
          users[slot] = number
        }
      }
      code.terminator.forEachOperand { operand in if let slot = operand.slot { isOther[slot.index] = true } }
    }
  }

  private mutating func look(_ operation: IROperation, _ block: Int, _ position: Int) {
    switch operation {
    case .store(.slot(let slot, let start), let offset, .double, let value) where value.slot == nil:
      write(slot.index, start + offset, value, block, position)
    case .call(let helper, let arguments) where helper.onlyReadsItsMemory:
      for case .slot(let slot, let offset) in arguments where offset != 0 { isOther[slot.index] = true }
    default: operation.forEachOperand { operand in if let slot = operand.slot { isOther[slot.index] = true } }
    }
  }

  private mutating func write(_ slot: Int, _ offset: Int32, _ value: IROperand, _ block: Int, _ position: Int) {
    let (word, count) = (Int(offset / 8), Int(slots[slot].size / 8))
    if keys[slot] == nil {
      keys[slot] = Key(block: block, position: position, words: Array(repeating: nil, count: count))
    }
    guard offset % 8 == 0, (0..<count).contains(word), keys[slot]?.block == block, keys[slot]?.words[word] == nil else {
      isOther[slot] = true
      return
    }
    keys[slot]?.words[word] = value
    keys[slot]?.position = position
  }

  private func isComplete(_ slot: Int) -> Bool {
    guard !isOther[slot], let key = keys[slot] else { return false }
    return !key.words.contains(nil)
  }

  // Sharing.

  private func share(_ slots: [Int], _ function: inout IRFunction, _ dominators: [Int]) {
    // By contents.
    var first: [[IROperand?]: [Int]] = [:]
    var replacements: [SlotID: SlotID] = [:]
    for slot in slots.sorted(by: isBefore) {
      guard let key = keys[slot] else { continue }
      if let other = first[key.words]?.first(where: { isWritten($0, before: key, dominators) }) {
        replacements[SlotID(number: Int32(slot))] = SlotID(number: Int32(other))
      } else {
        first[key.words, default: []].append(slot)
      }
    }
    if !replacements.isEmpty { function.replace(replacements) }
  }

  private func isBefore(_ one: Int, _ other: Int) -> Bool {
    guard let first = keys[one], let second = keys[other] else { return one < other }
    return (first.block, first.position) < (second.block, second.position)
  }

  /// Whether a slot is written on every way to another key; in the same block the order of `isBefore` says so.
  private func isWritten(_ slot: Int, before key: Key, _ dominators: [Int]) -> Bool {
    guard let earlier = keys[slot]?.block else { return false }
    var block = key.block
    while block > earlier { block = dominators[block] }
    return block == earlier
  }
}

extension IRFunction {
  /// Uses other slots instead of some, which are no longer written.
  fileprivate mutating func replace(_ replacements: [SlotID: SlotID]) {
    for block in blocks.indices {
      blocks[block].instructions.removeAll { instruction in
        guard case .store(let address, _, _, _) = instruction.operation, let slot = address.slot else { return false }
        return replacements[slot] != nil
      }
      for index in blocks[block].instructions.indices {
        let operation = blocks[block].instructions[index].operation
        guard operation.hasOperand(where: { $0.slot != nil }) else { continue }
        blocks[block].instructions[index].operation = operation.rewritten { operand in
          guard case .slot(let slot, let offset) = operand, let other = replacements[slot] else { return operand }
          return .slot(other, offset)
        }
      }
    }
  }
}

extension Helper {
  /// Whether it changes nothing in the memory whose addresses it is given.
  fileprivate var onlyReadsItsMemory: Bool {
    switch self {
    case .mapLookupElem, .mapUpdateElem, .mapDeleteElem: true
    default: false
    }
  }
}
