import BPFAssembly

/// What the passes may do with an operation.
extension IROperation {
  /// Whether the result depends on the operands only, so that doing it once is as good as doing it twice.
  var isPure: Bool {
    switch self {
    case .binary, .negate, .extend, .swapBytes, .compare, .context, .iteration, .number: true
    case .call(let helper, _): helper.isConstantDuringRun
    case .load, .store, .atomic, .loop: false
    }
  }

  /// Whether nobody notices when it is left out, provided that nobody uses the result.
  var isDroppable: Bool {
    switch self {
    case .load: true
    case .call(let helper, _): helper.onlyAnswers
    default: isPure
    }
  }
}

extension Helper {
  /// Whether it answers the same however often one run of a probe asks.
  var isConstantDuringRun: Bool {
    switch self {
    case .getCurrentPidTgid, .getCurrentUidGid, .getCurrentTask, .getCurrentTaskBtf, .getSmpProcessorId,
      .getCurrentCgroupId, .getNumaNodeId:
      true
    default: false
    }
  }

  /// Whether it does nothing but answer.
  var onlyAnswers: Bool {
    switch self {
    case .ktimeGetNs, .ktimeGetBootNs, .ktimeGetCoarseNs, .ktimeGetTaiNs, .jiffies64, .getPrandomU32, .mapLookupElem,
      .mapLookupPercpuElem, .perCpuPtr, .thisCpuPtr, .getFuncIp, .getAttachCookie, .taskPtRegs:
      true
    default: isConstantDuringRun
    }
  }
}

extension Atomic {
  /// Whether the old value comes back.
  var answers: Bool {
    switch self {
    case .add, .or, .and, .xor: false
    case .fetchAdd, .fetchOr, .fetchAnd, .fetchXor, .exchange, .compareExchange: true
    }
  }

  /// The operation that does the same and brings nothing back; nil when there is none.
  var withoutAnswer: Atomic? {
    switch self {
    case .fetchAdd: .add
    case .fetchOr: .or
    case .fetchAnd: .and
    case .fetchXor: .xor
    case .add, .or, .and, .xor, .exchange, .compareExchange: nil
    }
  }
}
