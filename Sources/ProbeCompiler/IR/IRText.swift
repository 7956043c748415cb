import BPFAssembly

/// The text that `--dump ir` shows.
extension IRProgram {
  /// One line an instruction: `v3 = add v1, 5`, behind `; ` the source place.
  ///
  /// - Parameter place: the text for a place's number; nil for none.
  func text(place: (UInt32) -> String? = { $0 == 0 ? nil : String($0) }) -> String {
    var lines: [String] = []
    for (number, function) in functions.enumerated() {
      lines.append(number == 0 ? "probe:" : "loop body f\(number):")
      lines += function.lines(place: place)
    }
    for (number, slot) in slots.enumerated() { lines.append("slot s\(number): \(slot.size) bytes\(slot.place.text)") }
    if scratchSize > 0 { lines.append("scratch map\(scratch.id): \(scratchSize) bytes") }
    return lines.map { $0 + "\n" }.joined()
  }
}

extension IRFunction {
  fileprivate func lines(place: (UInt32) -> String?) -> [String] {
    var lines: [String] = []
    func add(_ text: String, _ number: UInt32) {
      let margin = String(repeating: " ", count: max(2, 44 - text.count))
      lines.append("  " + text + (place(number).map { margin + "; " + $0 } ?? ""))
    }
    for (number, block) in blocks.enumerated() {
      let parameters = block.parameters.isEmpty ? "" : "(\(list(block.parameters.map(\.text))))"
      lines.append("b\(number)\(parameters):\(block.isCold ? " cold" : "")")
      for instruction in block.instructions { add(instruction.text, instruction.place) }
      add(block.terminator.text, block.place)
    }
    return lines
  }
}

private func list(_ texts: [String]) -> String { texts.joined(separator: ", ") }

extension ValueID {
  var text: String { "v\(number)" }
}

extension IROperand {
  var text: String {
    switch self {
    case .value(let value): value.text
    case .constant(let constant): String(constant)
    case .slot(let slot, let offset): "s\(slot.number)\(offset == 0 ? "" : "+\(offset)")"
    case .map(let map): "map\(map.id)"
    case .mapValue(let map, let offset): "map\(map.id)[0]+\(offset)"
    }
  }
}

extension IRInstruction {
  /// `v3 = add v1, 5`
  var text: String { (result.map { "\($0.text) = " } ?? "") + operation.text }
}

extension IROperation {
  var text: String {
    switch self {
    case .binary(let operation, let left, let right): "\(operation) \(left.text), \(right.text)"
    case .negate(let operand): "negate \(operand.text)"
    case .extend(let operand, let width, let signed): "extend \(operand.text), \(width.text(signed))"
    case .swapBytes(let operand, let width): "swap \(operand.text), \(width.text(false))"
    case .compare(let condition, let left, let right): "compare \(condition) \(left.text), \(right.text)"
    case .context: "context"
    case .iteration: "iteration"
    case .number(let operand): "number \(operand.text)"
    case .load(let address, let offset, let width, let signed): "load \(width.text(signed)) \(place(address, offset))"
    case .store(let address, let offset, let width, let value):
      "store \(width.text(false)) \(place(address, offset)), \(value.text)"
    case .atomic(let operation, let address, let offset, let operand, let expected):
      "atomic \(operation) \(place(address, offset)), \(operand.text)" + (expected.map { ", \($0.text)" } ?? "")
    case .call(let helper, let arguments): "call \(helper.name)(\(list(arguments.map(\.text))))"
    case .loop(let body, let count): "loop f\(body.number), \(count.text)"
    }
  }

  private func place(_ address: IROperand, _ offset: Int32) -> String {
    "[\(address.text)\(offset == 0 ? "" : offset < 0 ? " - \(-Int64(offset))" : " + \(offset)")]"
  }
}

extension IRTerminator {
  var text: String {
    switch self {
    case .jump(let target): "jump \(target.text)"
    case .branch(let condition, let left, let right, let first, let second):
      "branch \(condition) \(left.text), \(right.text) ? \(first.text) : \(second.text)"
    case .exit(let operand): "exit \(operand.text)"
    }
  }
}

extension IRTarget {
  fileprivate var text: String { "b\(block.number)" + (arguments.isEmpty ? "" : "(\(list(arguments.map(\.text))))") }
}

extension Width {
  fileprivate func text(_ signed: Bool) -> String { (signed ? "s" : "u") + String(bytes * 8) }
}

extension IRSlot.Place {
  fileprivate var text: String {
    switch self {
    case .open: ""
    case .stack(let offset): " on the stack at \(offset)"
    case .scratch(let offset): " in scratch at \(offset)"
    }
  }
}
