import BTF
import KernelLoader

/// What can be shown as a table or histogram: a map, or a variable that programs write.
struct SampledTable {
  let name: String
  /// How keys and values read; of a variable that is an array, the values are its elements and the keys their indices.
  let key: ValueLayout?
  let value: ValueLayout
  let isVariable: Bool
  let isPerCPU: Bool
  /// Whether all its entries exist from the start.
  let isArray: Bool
  /// Whether there is only one value.
  let isSingle: Bool
  /// nil for what has no entries: the map's type.
  let typeWithoutEntries: MapType?
  /// Whether values that are arrays of integers are counts. Of variables their name says it: others are just arrays.
  private let countsAreBare: Bool
  private var variable: GlobalVariable?

  init(_ map: BPFMap) {
    (name, isVariable, isPerCPU) = (map.name, false, map.isPerCPU)
    key = map.key ?? .bytes(size: map.keySize)
    value = map.value ?? .bytes(size: map.valueSize)
    isArray = map.shape.isArray
    isSingle = map.maxEntries == 1 && isArray
    typeWithoutEntries = map.hasEntries ? nil : map.type
    countsAreBare = true
  }

  /// nil for a constant.
  init?(_ variable: GlobalVariable) {
    if variable.isConstant || variable.name.hasPrefix("__") { return nil }
    self.init(variable, isHistogram: ["hist", "hists", "slots"].contains(where: variable.name.hasSuffix))
  }

  private init(_ variable: GlobalVariable, isHistogram: Bool) {
    (name, key, isVariable, isPerCPU, isArray, typeWithoutEntries) = (variable.name, nil, true, false, true, nil)
    self.variable = variable
    countsAreBare = isHistogram
    let isWhole = isHistogram && variable.layout.isCounts
    if case .array(let element, _, let count) = variable.layout, count > 1, !isWhole {
      (value, isSingle) = (element, false)
    } else {
      (value, isSingle) = (variable.layout, true)
    }
  }

  /// Whether it is more than a counter or a flag.
  var hasSeveralNumbers: Bool {
    if case .record = value { true } else { !isSingle }
  }

  /// Itself, with arrays of integers as counts.
  var asHistogram: SampledTable { variable.map { SampledTable($0, isHistogram: true) } ?? self }

  /// Whether its values hold counts in an array called `slots`, or are one.
  var hasSlots: Bool {
    if case .record(let record) = value { return record.members.contains { $0.name == "slots" && $0.value.isCounts } }
    return countsAreBare && value.isCounts
  }
}

extension BPFObject {
  /// The map or variable of that name; nil when there is none.
  func sampled(_ name: String) -> SampledTable? {
    map(name).map { SampledTable($0) } ?? global(name).flatMap { SampledTable($0) }
  }

  /// The variables that programs write.
  var sampledVariables: [SampledTable] { globals.compactMap { SampledTable($0) } }
}

extension BPFMap {
  var hasEntries: Bool {
    switch shape {
    case .hash, .array, .lpmTrie: true
    default: false
    }
  }
}

extension MapShape {
  fileprivate var isArray: Bool {
    if case .array = self { true } else { false }
  }
}

extension ValueLayout {
  fileprivate var isCounts: Bool {
    if case .array(.integer, _, _) = self { true } else { false }
  }
}
