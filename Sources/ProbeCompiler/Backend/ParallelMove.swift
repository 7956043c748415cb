import BPFAssembly

/// Moves between registers that happen at once, as moves one after the other.
enum ParallelMove {
  enum Step: Equatable {
    case move(Register, Register)
    /// The register's contents go to memory, when no register is free to break a cycle.
    case save(Register)
    case restore(Register)
  }

  /// - Parameter moves: each destination stands there once.
  /// - Parameter spare: a register whose contents nobody needs, and that is no destination.
  static func steps(_ moves: [(to: Register, from: Register)], spare: Register?) -> [Step] {
    var pending: [(to: Register, from: Source)] = []
    for move in moves where move.to != move.from { pending.append((move.to, .register(move.from))) }
    var steps: [Step] = []
    while !pending.isEmpty {
      let ready = pending.firstIndex { move in !pending.contains { $0.from == .register(move.to) } }
      guard let ready else {
        // Only cycles are left: what the first move overwrites is put out of the way.
        let lost = pending[0].to
        steps.append(spare.map { .move($0, lost) } ?? .save(lost))
        for index in pending.indices where pending[index].from == .register(lost) {
          pending[index].from = spare.map { .register($0) } ?? .memory
        }
        continue
      }
      let move = pending.remove(at: ready)
      switch move.from {
      case .register(let source): steps.append(.move(move.to, source))
      case .memory: steps.append(.restore(move.to))
      }
    }
    return steps
  }

  private enum Source: Equatable {
    case register(Register)
    case memory
  }
}
