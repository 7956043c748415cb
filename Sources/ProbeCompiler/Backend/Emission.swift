import BPFAssembly

/// Writes a function whose values have their registers.
struct Emission {
  let function: MachineFunction
  let registers: [Register]
  /// Where functions begin.
  let entries: [Label]
  var assembler: Assembler
  /// The frame, with the place that breaking a cycle of moves may have taken.
  var frameSize: Int32
  private var labels: [Label] = []
  /// By block, where a jump to it ends up: blocks that do nothing are skipped.
  private var destinations: [Int] = []
  private var spares: [Register?]
  /// By block, the block on the edge to follow that is written before the branch.
  private var hoisted: [Int?] = []

  /// Writes function `number`; the answer is the size of its frame.
  static func write(
    _ function: MachineFunction, _ allocation: RegisterAllocator.Result, number: Int, entries: [Label],
    into assembler: inout Assembler
  ) -> Int32 {
    var emission = Emission(
      function: function, registers: allocation.registers, entries: entries, assembler: assembler,
      frameSize: function.frameSize, spares: allocation.spares(in: function))
    emission.assembler.bind(entries[number])
    emission.run()
    assembler = emission.assembler
    return emission.frameSize
  }

  func register(_ value: VirtualRegister) -> Register { registers[value.index] }

  private mutating func run() {
    for _ in function.blocks { labels.append(assembler.newLabel()) }
    findDestinations()
    let targets = function.blocks.indices.map { block in
      destinations[block] == block ? destinations(of: function.blocks[block].terminator) : nil
    }
    let order = Layout.order(targets: targets, isCold: function.blocks.map(\.isCold))
    for (position, block) in order.enumerated() {
      assembler.bind(labels[block])
      write(block, next: position + 1 < order.count ? order[position + 1] : nil)
    }
  }

  /// Backwards, because blocks only lead to later ones.
  private mutating func findDestinations() {
    destinations = Array(function.blocks.indices)
    hoisted = Array(repeating: nil, count: destinations.count)
    for number in destinations.indices.reversed() {
      let block = function.blocks[number]
      switch block.terminator {
      case .jump(let target, let arguments):
        if number > 0, block.instructions.allSatisfy({ doesNothing($0) }), areInPlace(arguments, target) {
          destinations[number] = destinations[target]
        }
      case .branch(_, _, _, let first, let second):
        let edges = [(second, first), (first, second)]
        if destinations[first] == first, destinations[second] == second,
          let edge = edges.first(where: { canGoFirst($0.0, before: number, other: $0.1) })?.0
        {
          hoisted[number] = edge
          destinations[edge] = destination(behind: edge)
        }
      case .exit: break
      }
    }
  }

  private func destination(behind block: Int) -> Int {
    guard case .jump(let target, _) = function.blocks[block].terminator else { return block }
    return destinations[target]
  }

  /// Whether an edge's arguments may be passed before the branch, because those of the other edge, which leads to the
  /// same block, then simply overwrite them: that saves the jump around those.
  private func canGoFirst(_ edge: Int, before number: Int, other: Int) -> Bool {
    let (early, late) = (function.blocks[edge], function.blocks[other])
    guard early.isPlainEdge, late.isPlainEdge, early.isCold == late.isCold,
      case .jump(let target, let arguments) = early.terminator, case .jump(target, _) = late.terminator
    else { return false }
    let written = function.blocks[target].parameters.map { register($0) }
    var isSafe = true
    let look = { (value: VirtualRegister) in if written.contains(register(value)) { isSafe = false } }
    function.blocks[number].terminator.forEachRead(look)
    late.terminator.forEachRead(look)
    for (argument, destination) in zip(arguments, written) {
      if let value = argument.register, register(value) != destination { look(value) }
    }
    return isSafe
  }

  private func doesNothing(_ instruction: MachineInstruction) -> Bool {
    guard case .set(.register(let source)) = instruction.operation, let result = instruction.result else {
      return false
    }
    return register(source) == register(result)
  }

  private func areInPlace(_ arguments: [MachineArgument], _ target: Int) -> Bool {
    zip(arguments, function.blocks[target].parameters).allSatisfy { argument, parameter in
      guard case .register(let source) = argument else { return false }
      return register(source) == register(parameter)
    }
  }

  private func destinations(of terminator: MachineTerminator) -> [Int] {
    var targets: [Int] = []
    terminator.forEachTarget { targets.append(destinations[$0]) }
    return targets
  }

  private mutating func write(_ number: Int, next: Int?) {
    let block = function.blocks[number]
    if number == 0 {
      write(function.entries.map { (to: register($0.result), from: $0.register) }, spare: .r0)
    }
    for instruction in block.instructions {
      assembler.place = instruction.place
      write(instruction)
    }
    assembler.place = block.place
    write(block.terminator, of: number, next: next)
  }

  private mutating func write(_ terminator: MachineTerminator, of block: Int, next: Int?) {
    switch terminator {
    case .exit(let argument):
      set(.r0, argument)
      assembler.exit()
    case .jump(let target, _):
      passArguments(of: block)
      go(to: target, next: next)
    case .branch(let condition, let left, let right, let first, let second):
      if let edge = hoisted[block] { passArguments(of: edge) }
      let (first, second) = (destinations[first], destinations[second])
      if first == second { return go(to: first, next: next) }
      let left = register(left)
      if first == next, let negated = condition.negated {
        assembler.jump(if: negated, left, operand(right), to: labels[second])
      } else {
        assembler.jump(if: condition, left, operand(right), to: labels[first])
        go(to: second, next: next)
      }
    }
  }

  private mutating func passArguments(of block: Int) {
    guard case .jump(let target, let arguments) = function.blocks[block].terminator else { return }
    set(Array(zip(function.blocks[target].parameters.map { register($0) }, arguments)), spare: spares[block])
  }

  private mutating func go(to block: Int, next: Int?) {
    let destination = destinations[block]
    if destination != next { assembler.jump(to: labels[destination]) }
  }

  func operand(_ source: MachineSource) -> Operand {
    switch source {
    case .register(let value): .register(register(value))
    case .immediate(let value): .immediate(value)
    }
  }
}

extension MachineBlock {
  /// Whether it does nothing but pass arguments that are in registers.
  fileprivate var isPlainEdge: Bool { isEdge && instructions.isEmpty }
}

extension RegisterAllocator.Result {
  /// By block, a register that nobody needs while its terminator moves arguments; nil when there is none.
  fileprivate func spares(in function: MachineFunction) -> [Register?] {
    var spares = [Register?](repeating: nil, count: function.blocks.count)
    for (number, block) in function.blocks.enumerated() {
      guard case .jump(let target, let arguments) = block.terminator, arguments.count > 1 else { continue }
      let destinations = function.blocks[target].parameters.map { registers[$0.index] }
      let end = ranges.end(of: number, in: function) * 3
      spares[number] = Register.allCases.dropLast().first { register in
        !destinations.contains(register) && !isOccupied(register, end, end + 3)
      }
    }
    return spares
  }

  private func isOccupied(_ register: Register, _ start: Int, _ end: Int) -> Bool {
    occupied[Int(register.rawValue)].containsAny(start, end)
  }
}
