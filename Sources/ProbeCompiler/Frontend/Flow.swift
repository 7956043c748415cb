import LuaBytecode
import Support

/// The blocks of a Lua function, its loops, and which registers are live where.
struct Flow {
  struct Block {
    /// Instructions `start..<end`.
    var start: Int
    var end: Int
    var successors: [Int] = []
    /// The innermost loop that the block is in; nil for none.
    var loop: Int?
    var liveIn = RegisterSet()
  }

  struct Loop {
    /// The block that every iteration starts with.
    var header: Int
    var blocks: Set<Int>
    var parent: Int?
    /// Registers that the loop writes.
    var written = RegisterSet()
  }

  private(set) var blocks: [Block] = []
  private(set) var loops: [Loop] = []
  /// All blocks that can be reached, in an order in which each stands before those that it leads to, loops' ways back
  /// aside.
  private(set) var order: [Int] = []
  private var blockAt: [Int] = []

  /// - Throws: when a loop has two entries, which only `goto` can make.
  init(_ prototype: LuaPrototype) throws(MoontraceError) {
    findBlocks(prototype)
    findOrder()
    try findLoops(prototype)
    findLiveness(prototype)
  }

  func block(at pc: Int) -> Int { blockAt[pc] }
}

// Blocks.
extension Flow {
  private mutating func findBlocks(_ prototype: LuaPrototype) {
    let code = prototype.instructions
    var leaders: Set<Int> = [0]
    for pc in code.indices {
      let next = Self.successors(code, pc)
      if next != [pc + 1] {
        leaders.formUnion(next)
        leaders.insert(pc + 1)
      }
    }
    let starts = leaders.filter { $0 < code.count }.sorted()
    blockAt = Array(repeating: 0, count: code.count)
    for (index, start) in starts.enumerated() {
      let end = index + 1 < starts.count ? starts[index + 1] : code.count
      blocks.append(Block(start: start, end: end))
      for pc in start..<end { blockAt[pc] = index }
    }
    for index in blocks.indices {
      blocks[index].successors = Self.successors(code, blocks[index].end - 1).map { blockAt[$0] }
    }
  }

  /// Where control goes after an instruction. A test and the jump behind it are taken as one.
  static func successors(_ code: [LuaInstruction], _ pc: Int) -> [Int] {
    let instruction = code[pc]
    switch instruction.opcode {
    case .jmp: return [instruction.target(at: pc) ?? pc + 1]
    case .lFalseSkip: return [pc + 2]
    case .return, .return0, .return1: return []
    case .forPrep, .forLoop: return [pc + 1, instruction.target(at: pc) ?? pc + 1]
    case let test where test.isTest: return [pc + 2, code[pc + 1].target(at: pc + 1) ?? pc + 2]
    default: return pc + 1 < code.count ? [pc + 1] : []
    }
  }

  private mutating func findOrder() {
    var finished: [Int] = []
    var seen: Set<Int> = [0]
    var stack: [(block: Int, next: Int)] = [(0, 0)]
    while let (block, next) = stack.last {
      guard next < blocks[block].successors.count else {
        finished.append(block)
        stack.removeLast()
        continue
      }
      stack[stack.count - 1].next += 1
      let successor = blocks[block].successors[next]
      if seen.insert(successor).inserted { stack.append((successor, 0)) }
    }
    order = finished.reversed()
  }
}

// Loops.
extension Flow {
  private mutating func findLoops(_ prototype: LuaPrototype) throws(MoontraceError) {
    let position = Dictionary(uniqueKeysWithValues: order.enumerated().map { ($1, $0) })
    let backEdges = order.flatMap { block in
      blocks[block].successors.filter { (position[$0] ?? 0) <= (position[block] ?? 0) }.map { (block, $0) }
    }
    if backEdges.isEmpty { return }
    let dominators = findDominators()
    var bodies: [Int: Set<Int>] = [:]
    for (block, header) in backEdges {
      guard dominators[block]?.contains(header) == true else {
        throw Refusal.at(
          prototype, blocks[block].end - 1, "this goto makes a loop that can be entered at two places",
          "use while, repeat or for")
      }
      bodies[header, default: [header]].formUnion(reaching(block, before: header))
    }
    // Inner loops are smaller: the last one that holds a block, from the largest on, is its innermost.
    for (header, body) in bodies.sorted(by: { ($0.value.count, $0.key) > ($1.value.count, $1.key) }) {
      loops.append(Loop(header: header, blocks: body, parent: blocks[header].loop))
      for block in body { blocks[block].loop = loops.count - 1 }
    }
    for index in loops.indices {
      loops[index].written = written(in: loops[index].blocks, prototype.instructions)
    }
  }

  private func findDominators() -> [Int: Set<Int>] {
    var predecessors: [Int: [Int]] = [:]
    for block in order { for next in blocks[block].successors { predecessors[next, default: []].append(block) } }
    var dominators: [Int: Set<Int>] = [0: [0]]
    var changed = true
    while changed {
      changed = false
      for block in order where block != 0 {
        let known = (predecessors[block] ?? []).compactMap { dominators[$0] }
        guard let first = known.first else { continue }
        let common = known.dropFirst().reduce(first) { $0.intersection($1) }.union([block])
        if dominators[block] != common {
          dominators[block] = common
          changed = true
        }
      }
    }
    return dominators
  }

  private func reaching(_ block: Int, before header: Int) -> Set<Int> {
    var found: Set<Int> = [header]
    var pending = [block]
    while let block = pending.popLast() {
      guard found.insert(block).inserted else { continue }
      pending += order.filter { blocks[$0].successors.contains(block) }
    }
    return found
  }

  private func written(in body: Set<Int>, _ code: [LuaInstruction]) -> RegisterSet {
    var written = RegisterSet()
    for block in body {
      for pc in blocks[block].start..<blocks[block].end { written.formUnion(RegisterUse(code, pc).written) }
    }
    return written
  }
}

// Liveness.
extension Flow {
  private mutating func findLiveness(_ prototype: LuaPrototype) {
    var changed = true
    while changed {
      changed = false
      for block in order.reversed() {
        var live = RegisterSet()
        for next in blocks[block].successors { live.formUnion(blocks[next].liveIn) }
        for pc in (blocks[block].start..<blocks[block].end).reversed() {
          let use = RegisterUse(prototype.instructions, pc)
          live.subtract(use.written)
          live.formUnion(use.read)
        }
        if live != blocks[block].liveIn {
          blocks[block].liveIn = live
          changed = true
        }
      }
    }
  }
}

extension LuaOpcode {
  /// Whether the instruction behind this one is a jump that it takes or not.
  var isTest: Bool {
    switch self {
    case .eq, .lt, .le, .eqK, .eqI, .ltI, .leI, .gtI, .geI, .test, .testSet: true
    default: false
    }
  }
}
