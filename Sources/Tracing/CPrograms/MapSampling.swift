import BPFAssembly
import BTF
import KernelLoader
import LuaRuntime
import Packages
import Support

/// A map of a C program that is shown while the program runs, and at its end.
struct MapSampling {
  let map: BPFMap
  let form: MapSample.Form
  /// 0: at the end only.
  let seconds: Double
  let unit: String?
  let clears: Bool
  /// Of linear histograms: the values that a slot stands for, and where the first begins.
  let step: Int64
  let base: Int64

  // MARK: What is shown

  /// The maps that the command line names, else those of the package; where a program shows nothing else, its maps of
  /// histograms, at the end.
  static func all(
    _ object: BPFObject, _ meta: PackageMeta?, wanted: [String]
  ) throws(MoontraceError) -> [MapSampling] {
    var samplings: [MapSampling] = []
    for text in wanted { samplings.append(try MapSampling(text, object)) }
    for packaged in meta?.skeleton.maps ?? [] {
      guard let sample = packaged.sample, !samplings.contains(where: { $0.map.name == packaged.name }) else { continue }
      guard let map = object.map(packaged.name) else {
        throw MoontraceError(
          .scriptFailed, "\(object.name): its package samples a map '\(packaged.name)', which it does not have")
      }
      samplings.append(try MapSampling(map, sample, object))
    }
    let showsMore = object.maps.contains(where: \.isEventBuffer) || object.programs.contains(where: \.isIterator)
    if !samplings.isEmpty || showsMore { return samplings }
    return object.maps.filter { $0.hasSlots && $0.hasEntries }.map(MapSampling.init(atTheEnd:))
  }

  /// Reads `MAP[=FORM[,MILLISECONDS]]`.
  private init(_ text: String, _ object: BPFObject) throws(MoontraceError) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard let map = object.map(parts[0]) else {
      let hint = suggestionHint(for: parts[0], in: object.maps.map(\.name))
      throw MoontraceError(.usage, "--sample: \(object.name) has no map '\(parts[0])'\(hint)")
    }
    let sample = try Self.sample(parts.count == 1 ? "" : parts[1], of: map)
    do throws(MoontraceError) {
      try self.init(map, sample, object)
    } catch {
      throw MoontraceError(.usage, "--sample: \(error.message)", remedy: error.remedy)
    }
  }

  /// Reads `[FORM[,MILLISECONDS]]`.
  private static func sample(_ text: String, of map: BPFMap) throws(MoontraceError) -> MapSample {
    let words = text.split(separator: ",", maxSplits: 1).map(String.init)
    let form = try words.first.map(Self.form) ?? (map.hasSlots ? .logarithmic : .table)
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

  private init(_ map: BPFMap, _ sample: MapSample, _ object: BPFObject) throws(MoontraceError) {
    let place = "\(object.name): map '\(map.name)'"
    guard map.hasEntries else {
      throw MoontraceError(.scriptFailed, "\(place): a \(map.type) has no entries that could be shown")
    }
    guard sample.form == .table || map.hasSlots else {
      throw MoontraceError(
        .scriptFailed, "\(place): a histogram needs values with an array of integers called slots",
        remedy: "sample it as default_kv")
    }
    let other = MemberReader(members: sample.other, place: "\(place): sample")
    step = max(1, try other.integer("step", default: 1))
    base = try other.integer("base", default: 0)
    (self.map, form, clears) = (map, sample.form, sample.clears)
    seconds = Double(max(0, sample.milliseconds)) / 1000
    unit = Self.unit(sample.unit)
  }

  /// The format writes units in parentheses, and `(unit)` where nothing is said.
  private static func unit(_ text: String) -> String? {
    let isWrapped = text.hasPrefix("(") && text.hasSuffix(")") && text.count > 2
    let unit = isWrapped ? String(text.dropFirst().dropLast()) : text
    return unit.isEmpty || unit == "unit" ? nil : unit
  }

  private init(atTheEnd map: BPFMap) {
    (self.map, form, seconds, unit, clears, step, base) = (map, .logarithmic, 0, nil, false, 1, 0)
  }

  // MARK: As the library sees it

  /// What `api/samples.lua` needs to know.
  var table: LuaTable {
    var fields: [String: LuaValue] = [
      "name": .text(map.name), "title": .text(map.name.printable), "form": .text(form.rawValue),
      "seconds": .number(seconds), "clears": .boolean(clears),
      "step": .integer(step), "base": .integer(base), "per_cpu": .boolean(map.isPerCPU),
      "is_single": .boolean(map.maxEntries == 1 && map.shape.isArray), "skips_zeros": .boolean(map.shape.isArray),
      "key_names": Self.names(map.key), "value_names": Self.names(map.value),
    ]
    if let unit { fields["unit"] = .text(unit) }
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
    let names = maps.filter(\.hasEntries).map(\.name)
    return names.isEmpty ? nil : "--sample MAP shows a map: \(names.joined(separator: ", "))"
  }
}

extension BPFMap {
  /// Whether its values hold counts in an array called `slots`, or are one.
  fileprivate var hasSlots: Bool {
    if case .record(let record)? = value { return record.members.contains { $0.name == "slots" && $0.value.isCounts } }
    return value?.isCounts ?? false
  }

  fileprivate var hasEntries: Bool {
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

extension BPFProgram {
  /// Whether it runs when it is read.
  fileprivate var isIterator: Bool { section.hasPrefix("iter/") || section.hasPrefix("iter.s/") }

  /// Whether it calls `bpf_trace_printk` or `bpf_trace_vprintk`.
  fileprivate var writesTrace: Bool {
    helperIDs.contains(Helper.tracePrintk.rawValue) || helperIDs.contains(Helper.traceVprintk.rawValue)
  }
}
