import BPFAssembly
import Support

/// Gives each virtual register one of BPF's, going through them in the order in which they are written.
///
/// What lives across a call only fits r6 to r9, because a call's mark is on all others. When nothing is free, what is
/// used least for its length goes to the stack: then the answer is the list of those, `SpillCode` rewrites the
/// function, and allocation starts again.
struct RegisterAllocator {
  /// What allocation found: a register for each value, or those that must go to the stack.
  struct Result {
    var registers: [Register]
    var spilled: [VirtualRegister]
    /// By register, the points where it holds a value.
    var occupied: [BitSet]
    var ranges: LiveRanges
  }

  /// r6 to r9 last: they are for what lives across calls.
  private static let order: [Register] = [.r0, .r5, .r4, .r3, .r2, .r1, .r6, .r7, .r8, .r9]

  private let function: MachineFunction
  private let ranges: LiveRanges
  private let hints: RegisterHints
  /// Registers from here on were made by `SpillCode` and live too short to be spilled.
  private let firstReload: Int
  /// By register: the points where calls destroy it or an instruction needs it.
  private var reserved: [BitSet]
  /// By register: the points where it holds a value.
  private var occupied: [BitSet]
  private var owners: [[Int]]
  private var assigned: [Register?]
  private var spilled: [VirtualRegister] = []
  /// By parameter: the register of the first of its arguments that got one.
  private var webs: [Register?]

  static func allocate(_ function: MachineFunction, firstReload: Int) throws(MoontraceError) -> Result {
    var allocator = RegisterAllocator(function, firstReload)
    allocator.reserve()
    try allocator.assignAll()
    let registers = allocator.assigned.map { $0 ?? .r0 }
    return Result(
      registers: registers, spilled: allocator.spilled, occupied: allocator.occupied, ranges: allocator.ranges)
  }

  private init(_ function: MachineFunction, _ firstReload: Int) {
    self.function = function
    self.firstReload = firstReload
    ranges = LiveRanges(function)
    hints = RegisterHints(function)
    reserved = Array(repeating: BitSet(count: ranges.pointCount), count: 10)
    occupied = reserved
    owners = Array(repeating: [], count: 10)
    assigned = Array(repeating: nil, count: function.registerCount)
    webs = assigned
  }

  private mutating func reserve() {
    for (number, block) in function.blocks.enumerated() {
      var index = ranges.blockStarts[number]
      for instruction in block.instructions {
        index += 1
        switch instruction.operation {
        case .call: for register in 0...5 { reserved[register].insert(index * 3 + 1) }
        case .compareExchange: reserved[0].insert(index * 3 + 1)
        default: break
        }
      }
    }
    for value in hints.pinned {
      assigned[value.index] = .r0
      ranges.forEachSegment(value.index) { segment in
        reserved[0].set(Int(segment.start), Int(segment.end), to: true)
        return true
      }
    }
  }

  private mutating func assignAll() throws(MoontraceError) {
    for entry in function.entries { try assign(entry.result) }
    for block in function.blocks {
      for parameter in block.parameters { try assign(parameter) }
      for instruction in block.instructions {
        if let result = instruction.result { try assign(result) }
      }
    }
  }

  private mutating func assign(_ value: VirtualRegister) throws(MoontraceError) {
    guard assigned[value.index] == nil, ranges.heads[value.index] >= 0 else { return }
    if let register = wish(value) ?? unshunned(value) ?? Self.order.first(where: { isFree($0, value) }) {
      take(register, for: value)
    } else {
      try makeRoom(for: value)
    }
  }

  /// The best of the registers that would save a move and are free.
  private func wish(_ value: VirtualRegister) -> Register? {
    let parameter = Int(hints.parameter[value.index])
    let source = Int(hints.source[value.index])
    return free(hints.wanted[value.index], value)
      ?? free(webs[value.index], value)
      ?? free(parameter < 0 ? nil : assigned[parameter] ?? webs[parameter], value)
      ?? free(source < 0 ? nil : assigned[source], value)
  }

  /// A free register for a parameter that what decides about its arguments is not in; nil for other values.
  private func unshunned(_ value: VirtualRegister) -> Register? {
    let shunned = hints.compared[value.index].compactMap { assigned[$0.index] }
    if shunned.isEmpty { return nil }
    return Self.order.first { !shunned.contains($0) && isFree($0, value) }
  }

  private func free(_ register: Register?, _ value: VirtualRegister) -> Register? {
    guard let register, isFree(register, value) else { return nil }
    return register
  }

  /// Whether a register holds nothing else where the value lives.
  private func isFree(_ register: Register, _ value: VirtualRegister) -> Bool {
    !ranges.meets(reserved[Int(register.rawValue)], value.index)
      && !ranges.meets(occupied[Int(register.rawValue)], value.index)
  }

  private mutating func take(_ register: Register, for value: VirtualRegister) {
    assigned[value.index] = register
    owners[Int(register.rawValue)].append(value.index)
    mark(register, value.index, true)
    let parameter = Int(hints.parameter[value.index])
    if parameter >= 0, webs[parameter] == nil { webs[parameter] = register }
  }

  private mutating func mark(_ register: Register, _ value: Int, _ isTaken: Bool) {
    ranges.forEachSegment(value) { segment in
      occupied[Int(register.rawValue)].set(Int(segment.start), Int(segment.end), to: isTaken)
      return true
    }
  }

  // When nothing is free.

  /// Sends to the stack what is cheapest there: the value itself, or those that are in its way in one register.
  private mutating func makeRoom(for value: VirtualRegister) throws(MoontraceError) {
    var best: (register: Register, cost: Float)?
    for register in Self.order where !ranges.meets(reserved[Int(register.rawValue)], value.index) {
      let cost = rivals(of: value, in: register).reduce(0) { $0 + self.cost($1) }
      if cost < best?.cost ?? .infinity { best = (register, cost) }
    }
    if let best, best.cost < cost(value.index) {
      for rival in rivals(of: value, in: best.register) { evict(rival, from: best.register) }
      take(best.register, for: value)
    } else if value.index >= firstReload {
      throw MoontraceError(
        .scriptFailed, "the compiler found no register for v\(value.number)", remedy: "please report this as a bug")
    } else {
      spilled.append(value)
    }
  }

  /// The values in a register that live where `value` does.
  private func rivals(of value: VirtualRegister, in register: Register) -> [Int] {
    owners[Int(register.rawValue)].filter { ranges.overlap($0, value.index) }
  }

  /// What spilling costs: instructions, for the points that it frees.
  private func cost(_ value: Int) -> Float {
    value >= firstReload ? .infinity : Float(ranges.useCounts[value]) / Float(ranges.length(value))
  }

  private mutating func evict(_ value: Int, from register: Register) {
    owners[Int(register.rawValue)].removeAll { $0 == value }
    mark(register, value, false)
    assigned[value] = nil
    spilled.append(VirtualRegister(number: Int32(value)))
  }
}

extension LiveRanges {
  /// Whether two registers live at the same point.
  func overlap(_ one: Int, _ other: Int) -> Bool {
    var (left, right) = (heads[one], heads[other])
    while left >= 0, right >= 0 {
      let (first, second) = (segments[Int(left)], segments[Int(right)])
      if first.start < second.end, second.start < first.end { return true }
      if first.end <= second.start { left = first.next } else { right = second.next }
    }
    return false
  }

  /// At how many points a register lives.
  func length(_ register: Int) -> Int {
    var length = 0
    forEachSegment(register) { segment in
      length += Int(segment.end - segment.start)
      return true
    }
    return length
  }
}
