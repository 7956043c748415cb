import BPFAssembly

/// The operands of instructions and terminators, and the targets of terminators, one by one.
extension IROperation {
  /// Calls `body` with each operand, from left to right.
  func forEachOperand(_ body: (IROperand) -> Void) {
    switch self {
    case .context, .iteration: break
    case .negate(let operand), .extend(let operand, _, _), .swapBytes(let operand, _), .number(let operand),
      .load(let operand, _, _, _), .loop(_, let operand):
      body(operand)
    case .binary(_, let left, let right), .compare(_, let left, let right), .store(let left, _, _, let right):
      body(left)
      body(right)
    case .atomic(_, let address, _, let operand, let expected):
      body(address)
      body(operand)
      if let expected { body(expected) }
    case .call(_, let arguments):
      for argument in arguments { body(argument) }
    }
  }

  /// Whether one of the operands is as wanted.
  func hasOperand(where isWanted: (IROperand) -> Bool) -> Bool {
    var isFound = false
    forEachOperand { if isWanted($0) { isFound = true } }
    return isFound
  }

  /// The same operation on other operands.
  func rewritten(_ rewrite: (IROperand) -> IROperand) -> IROperation {
    switch self {
    case .context, .iteration: self
    case .negate(let operand): .negate(rewrite(operand))
    case .extend(let operand, let width, let signed): .extend(rewrite(operand), width, signed: signed)
    case .swapBytes(let operand, let width): .swapBytes(rewrite(operand), width)
    case .number(let operand): .number(rewrite(operand))
    case .load(let address, let offset, let width, let signed): .load(rewrite(address), offset, width, signed: signed)
    case .loop(let body, let count): .loop(body, count: rewrite(count))
    case .binary(let operation, let left, let right): .binary(operation, rewrite(left), rewrite(right))
    case .compare(let condition, let left, let right): .compare(condition, rewrite(left), rewrite(right))
    case .store(let address, let offset, let width, let value):
      .store(rewrite(address), offset, width, rewrite(value))
    case .atomic(let operation, let address, let offset, let operand, let expected):
      .atomic(operation, rewrite(address), offset, rewrite(operand), expected: expected.map(rewrite))
    case .call(let helper, let arguments): .call(helper, arguments.mapped(rewrite))
    }
  }
}

extension IRTerminator {
  /// Calls `body` with each operand, arguments of targets included.
  func forEachOperand(_ body: (IROperand) -> Void) {
    switch self {
    case .jump(let target):
      for argument in target.arguments { body(argument) }
    case .branch(_, let left, let right, let first, let second):
      body(left)
      body(right)
      for argument in first.arguments { body(argument) }
      for argument in second.arguments { body(argument) }
    case .exit(let operand): body(operand)
    }
  }

  /// Whether one of the operands is as wanted.
  func hasOperand(where isWanted: (IROperand) -> Bool) -> Bool {
    var isFound = false
    forEachOperand { if isWanted($0) { isFound = true } }
    return isFound
  }

  /// The same terminator on other operands, arguments of targets included.
  func rewritten(_ rewrite: (IROperand) -> IROperand) -> IRTerminator {
    switch self {
    case .jump(let target): .jump(target.rewritten(rewrite))
    case .branch(let condition, let left, let right, let first, let second):
      .branch(condition, rewrite(left), rewrite(right), first.rewritten(rewrite), second.rewritten(rewrite))
    case .exit(let operand): .exit(rewrite(operand))
    }
  }

  /// How many targets it has: 0, 1 or 2.
  var targetCount: Int {
    switch self {
    case .jump: 1
    case .branch: 2
    case .exit: 0
    }
  }

  /// The block that the target with a number below `targetCount` is; nil for others.
  func targetBlock(_ number: Int) -> Int? {
    switch (self, number) {
    case (.jump(let target), 0), (.branch(_, _, _, let target, _), 0), (.branch(_, _, _, _, let target), 1):
      target.block.index
    default: nil
    }
  }

  /// The target with a number below `targetCount`; nil for others.
  func target(_ number: Int) -> IRTarget? {
    switch (self, number) {
    case (.jump(let target), 0), (.branch(_, _, _, let target, _), 0), (.branch(_, _, _, _, let target), 1): target
    default: nil
    }
  }

  /// Replaces the target with a number below `targetCount`.
  mutating func setTarget(_ number: Int, to target: IRTarget) {
    switch self {
    case .jump: self = .jump(target)
    case .branch(let condition, let left, let right, let first, let second):
      self = .branch(condition, left, right, number == 0 ? target : first, number == 0 ? second : target)
    case .exit: break
    }
  }
}

extension IRTarget {
  func rewritten(_ rewrite: (IROperand) -> IROperand) -> IRTarget {
    arguments.isEmpty ? self : IRTarget(block: block, arguments: arguments.map(rewrite))
  }
}

extension IROperand {
  /// The value's number; nil for everything that is no value.
  var valueNumber: Int? {
    if case .value(let value) = self { Int(value.number) } else { nil }
  }

  /// The constant; nil for everything that is none.
  var constant: Int64? {
    if case .constant(let constant) = self { constant } else { nil }
  }

  /// The slot whose address this is; nil for everything else.
  var slot: SlotID? {
    if case .slot(let slot, _) = self { slot } else { nil }
  }
}

extension ValueID {
  var index: Int { Int(number) }
}
extension BlockID {
  var index: Int { Int(number) }

  init(index: Int) {
    self.init(number: Int32(index))
  }
}
extension FunctionID {
  var index: Int { Int(number) }
}
extension SlotID {
  var index: Int { Int(number) }
}
