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
    // By instruction, whether a block starts there; one more for the end of the code.
    var isStart = Array(repeating: false, count: code.count + 1)
    isStart[0] = true
    for pc in code.indices where code[pc].opcode.isControl {
      isStart[pc + 1] = true
      for target in Self.successors(code, pc) { isStart[target] = true }
    }
    blockAt.reserveCapacity(code.count)
    for pc in code.indices {
      if isStart[pc] { blocks.append(Block(start: pc, end: pc)) }
      blocks[blocks.count - 1].end = pc + 1
      blockAt.append(blocks.count - 1)
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
    var isSeen = Array(repeating: false, count: blocks.count)
    isSeen[0] = true
    var stack: [(block: Int, next: Int)] = [(0, 0)]
    while let (block, next) = stack.last {
      guard next < blocks[block].successors.count else {
        finished.append(block)
        stack.removeLast()
        continue
      }
      stack[stack.count - 1].next += 1
      let successor = blocks[block].successors[next]
      if !isSeen[successor] { stack.append((successor, 0)) }
      isSeen[successor] = true
    }
    order = finished.reversed()
  }
}

// Loops.
extension Flow {
  private mutating func findLoops(_ prototype: LuaPrototype) throws(MoontraceError) {
    var position = Array(repeating: 0, count: blocks.count)
    for (index, block) in order.enumerated() { position[block] = index }
    var backEdges: [(block: Int, header: Int)] = []
    for block in order {
      for next in blocks[block].successors where position[next] <= position[block] { backEdges.append((block, next)) }
    }
    if backEdges.isEmpty { return }
    let dominators = Dominators(of: blocks, in: order, position: position)
    var bodies: [Int: Set<Int>] = [:]
    for (block, header) in backEdges {
      guard dominators.stands(header, onEveryWayTo: block) else {
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
  /// Whether another instruction than the next one may follow.
  fileprivate var isControl: Bool {
    switch self {
    case .jmp, .lFalseSkip, .return, .return0, .return1, .forPrep, .forLoop: true
    default: isTest
    }
  }

  /// Whether the instruction behind this one is a jump that it takes or not.
  var isTest: Bool {
    switch self {
    case .eq, .lt, .le, .eqK, .eqI, .ltI, .leI, .gtI, .geI, .test, .testSet: true
    default: false
    }
  }
}
