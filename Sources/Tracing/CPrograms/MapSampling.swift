import BPFAssembly
import BTF
import KernelLoader
import LuaRuntime
import Packages
import Support

/// A map or variable of a C program that is shown while the program runs, and at its end.
struct MapSampling {
  let source: SampledTable
  let form: MapSample.Form
  /// 0: at the end only.
  let seconds: Double
  let unit: String?
  let clears: Bool
  /// Of linear histograms: the values that a slot stands for, and where the first begins.
  let step: Int64
  let base: Int64
  private let stacks: SampledStacks?

  // MARK: What is shown

  /// What the command line names, else the maps of the package; where a program shows nothing else, its histograms and
  /// its maps of stacks, at the end.
  static func all(
    _ object: BPFObject, _ meta: PackageMeta?, wanted: [String]
  ) throws(MoontraceError) -> [MapSampling] {
    var samplings: [MapSampling] = []
    for text in wanted { samplings.append(try MapSampling(text, object)) }
    for packaged in meta?.skeleton.maps ?? [] {
      guard let sample = packaged.sample, !samplings.contains(where: { $0.source.name == packaged.name }) else {
        continue
      }
      guard let map = object.map(packaged.name) else {
        throw MoontraceError(
          .scriptFailed, "\(object.name): its package samples a map '\(packaged.name)', which it does not have")
      }
      samplings.append(try MapSampling(SampledTable(map), sample, object))
    }
    let showsMore = object.maps.contains(where: \.isEventBuffer) || object.programs.contains(where: \.isIterator)
    if !samplings.isEmpty || showsMore { return samplings }
    return telling(object)
  }

  /// The maps and variables that are there to be shown.
  private static func telling(_ object: BPFObject) -> [MapSampling] {
    var tables = object.maps.map { SampledTable($0) }.filter { $0.typeWithoutEntries == nil }
    let histograms = tables.filter(\.hasSlots) + object.sampledVariables.filter(\.hasSlots)
    tables.removeAll { $0.hasSlots || SampledStacks($0, object) == nil }
    return histograms.map { MapSampling(atTheEnd: $0, .logarithmic, object) }
      + tables.map { MapSampling(atTheEnd: $0, .table, object) }
  }

  /// Reads `MAP[=FORM[,MILLISECONDS]]`.
  private init(_ text: String, _ object: BPFObject) throws(MoontraceError) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard let source = object.sampled(parts[0]) else {
      let names = object.maps.map(\.name) + object.sampledVariables.map(\.name)
      let hint = suggestionHint(for: parts[0], in: names)
      throw MoontraceError(.usage, "--sample: \(object.name) has no map '\(parts[0])'\(hint)")
    }
    let sample = try Self.sample(parts.count == 1 ? "" : parts[1], of: source)
    do throws(MoontraceError) {
      try self.init(sample.form == .table ? source : source.asHistogram, sample, object)
    } catch {
      throw MoontraceError(.usage, "--sample: \(error.message)", remedy: error.remedy)
    }
  }

  /// Reads `[FORM[,MILLISECONDS]]`.
  private static func sample(_ text: String, of source: SampledTable) throws(MoontraceError) -> MapSample {
    let words = text.split(separator: ",", maxSplits: 1).map(String.init)
    let form = try words.first.map(Self.form) ?? (source.hasSlots ? .logarithmic : .table)
    guard words.count > 1 else { return MapSample(milliseconds: 1000, form: form) }
    guard let milliseconds = Int(words[1]), milliseconds > 0 else {
      throw MoontraceError(.usage, "--sample: expected milliseconds above 0, got '\(words[1])'")
    }
    return MapSample(milliseconds: milliseconds, form: form)
  }

  private static func form(_ word: String) throws(MoontraceError) -> MapSample.Form {
    let short: [String: MapSample.Form] = ["log2": .logarithmic, "linear": .linear, "table": .table]
    if let form = MapSample.Form(rawValue: word) ?? short[word] { return form }
    throw MoontraceError(
      .usage, "--sample: there is no form '\(word)'\(suggestionHint(for: word, in: short.keys.sorted()))",
      remedy: "one of \(short.keys.sorted().joined(separator: ", "))")
  }

  private init(_ source: SampledTable, _ sample: MapSample, _ object: BPFObject) throws(MoontraceError) {
    let place = "\(object.name): \(source.isVariable ? "variable" : "map") '\(source.name)'"
    if let type = source.typeWithoutEntries {
      throw MoontraceError(.scriptFailed, "\(place): a \(type) has no entries that could be shown")
    }
    guard sample.form == .table || source.hasSlots else {
      throw MoontraceError(
        .scriptFailed, "\(place): a histogram needs values with an array of integers called slots",
        remedy: "sample it as default_kv")
    }
    let other = MemberReader(members: sample.other, place: "\(place): sample")
    step = max(1, try other.integer("step", default: 1))
    base = try other.integer("base", default: 0)
    (self.source, form, clears) = (source, sample.form, sample.clears)
    stacks = SampledStacks(source, object)
    seconds = Double(max(0, sample.milliseconds)) / 1000
    unit = Self.unit(sample.unit)
  }

  /// The format writes units in parentheses, and `(unit)` where nothing is said.
  private static func unit(_ text: String) -> String? {
    let isWrapped = text.hasPrefix("(") && text.hasSuffix(")") && text.count > 2
    let unit = isWrapped ? String(text.dropFirst().dropLast()) : text
    return unit.isEmpty || unit == "unit" ? nil : unit
  }

  private init(atTheEnd source: SampledTable, _ form: MapSample.Form, _ object: BPFObject) {
    (self.source, self.form, seconds, unit, clears, step, base) = (source, form, 0, nil, false, 1, 0)
    stacks = SampledStacks(source, object)
  }

  // MARK: As the library sees it

  /// What `api/samples.lua` needs to know.
  var table: LuaTable {
    var fields: [String: LuaValue] = [
      "name": .text(source.name), "title": .text(source.name.printable), "form": .text(form.rawValue),
      "seconds": .number(seconds), "clears": .boolean(clears),
      "step": .integer(step), "base": .integer(base), "per_cpu": .boolean(source.isPerCPU),
      "is_variable": .boolean(source.isVariable), "is_single": .boolean(source.isSingle),
      "skips_zeros": .boolean(source.isArray),
      "key_names": Self.names(source.key), "value_names": Self.names(source.value),
      "key_shape": .table((source.key ?? .integer(size: 4, signed: false)).sampledShape),
      "value_shape": .table(source.value.sampledShape), "is_summed": .boolean(source.value.hasSum),
    ]
    if let unit { fields["unit"] = .text(unit) }
    if let stacks { fields["stacks"] = .table(stacks.table) }
    return LuaTable(fields: fields)
  }

  /// The names of a record's members, in order; nil for another value.
  private static func names(_ layout: ValueLayout?) -> LuaValue {
    guard case .record(let record)? = layout else { return .nil }
    return .table(LuaTable(list: record.members.map { .text($0.name) }))
  }
}

extension BPFObject {
  /// What to do about a program that shows nothing by itself; nil when it shows something, or has nothing to show.
  var hintWhenSilent: String? {
    if maps.contains(where: \.isEventBuffer) || programs.contains(where: \.isIterator) { return nil }
    if programs.contains(where: { $0.isAutoloaded && $0.writesTrace }) {
      return "--trace-pipe shows what it writes with bpf_printk"
    }
    let names = maps.filter(\.hasEntries).map(\.name) + sampledVariables.filter(\.hasSeveralNumbers).map(\.name)
    return names.isEmpty ? nil : "--sample MAP shows a map: \(names.joined(separator: ", "))"
  }
}

extension BPFProgram {
  /// Whether it runs when it is read.
  fileprivate var isIterator: Bool { section.hasPrefix("iter/") || section.hasPrefix("iter.s/") }

  /// Whether it calls `bpf_trace_printk` or `bpf_trace_vprintk`.
  fileprivate var writesTrace: Bool {
    helperIDs.contains(Helper.tracePrintk.rawValue) || helperIDs.contains(Helper.traceVprintk.rawValue)
  }
}
