/// Where each virtual register holds a value that is still needed, exactly: with holes where no way leads to a use.
///
/// Every instruction has three points: it reads at 3i, calls destroy r0 to r5 at 3i + 1, it writes at 3i + 2. A block
/// takes an index for its head, which writes the parameters, one for each instruction and one for its terminator.
struct LiveRanges {
  /// From `start` up to, not including, `end`.
  struct Segment {
    var start: Int32
    var end: Int32
    /// The index of the register's next segment; -1 for none.
    var next: Int32
  }

  private(set) var segments: [Segment] = []
  /// The index of each register's first segment; -1 for none.
  private(set) var heads: [Int32]
  /// How often each register is read or written.
  private(set) var useCounts: [Int32]
  /// The index of each block's head.
  private(set) var blockStarts: [Int] = []
  /// How many points there are.
  let pointCount: Int

  init(_ function: MachineFunction) {
    heads = Array(repeating: -1, count: function.registerCount)
    useCounts = Array(repeating: 0, count: function.registerCount)
    var index = 0
    for block in function.blocks {
      blockStarts.append(index)
      index += block.instructions.count + 2
    }
    pointCount = index * 3
    segments.reserveCapacity(function.registerCount * 2)
    build(function)
  }

  /// The index of a block's terminator.
  func end(of block: Int, in function: MachineFunction) -> Int {
    blockStarts[block] + function.blocks[block].instructions.count + 1
  }

  /// Calls `body` with each segment of a register until it answers false.
  @inline(__always)
  func forEachSegment(_ register: Int, while body: (Segment) -> Bool) {
    var index = heads[register]
    while index >= 0 {
      let segment = segments[Int(index)]
      if !body(segment) { return }
      index = segment.next
    }
  }

  private mutating func build(_ function: MachineFunction) {
    let words = (function.registerCount + 63) / 64
    // What is live where each block begins, a bit a register.
    var liveIn = Array(repeating: UInt64(0), count: words * function.blocks.count)
    var live = BitSet(count: function.registerCount)
    for block in function.blocks.indices.reversed() {
      live.removeAll()
      function.blocks[block].terminator.forEachTarget { live.formUnion(liveIn[$0 * words..<($0 + 1) * words]) }
      scan(function, block, &live)
      for word in 0..<words { liveIn[block * words + word] = live.words[word] }
    }
  }

  private mutating func scan(_ function: MachineFunction, _ number: Int, _ live: inout BitSet) {
    let block = function.blocks[number]
    let first = Int32(blockStarts[number] * 3)
    var index = Int32(blockStarts[number] + block.instructions.count + 1)
    live.forEach { add($0, first, (index + 1) * 3) }
    block.terminator.forEachRead { read($0, from: first, to: index * 3 + 1, &live) }
    for instruction in block.instructions.reversed() {
      index -= 1
      if let result = instruction.result { write(result, at: index * 3 + 2, &live) }
      instruction.operation.forEachRead { register, reading in
        read(register, from: first, to: index * 3 + (reading == .early ? 1 : 3), &live)
      }
    }
    for parameter in block.parameters { write(parameter, at: first + 2, &live) }
    if number == 0 { for entry in function.entries { write(entry.result, at: first + 2, &live) } }
  }

  private mutating func read(_ register: VirtualRegister, from start: Int32, to end: Int32, _ live: inout BitSet) {
    useCounts[register.index] += 1
    guard live.contains(register.index) else {
      live.insert(register.index)
      return add(register.index, start, end)
    }
    let head = Int(heads[register.index])
    if segments[head].end < end { segments[head].end = end }
  }

  private mutating func write(_ register: VirtualRegister, at point: Int32, _ live: inout BitSet) {
    useCounts[register.index] += 1
    guard live.contains(register.index) else { return add(register.index, point, point + 1) }
    live.remove(register.index)
    segments[Int(heads[register.index])].start = point
  }

  private mutating func add(_ register: Int, _ start: Int32, _ end: Int32) {
    let head = heads[register]
    if head >= 0, segments[Int(head)].start == end {
      segments[Int(head)].start = start
    } else {
      segments.append(Segment(start: start, end: end, next: head))
      heads[register] = Int32(segments.count - 1)
    }
  }
}
