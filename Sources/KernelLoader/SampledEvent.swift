import CLibbpf

/// An event that the kernel counts and that a program can run at every so many of.
///
/// Names and default counts are bpftrace's; numbers are `enum perf_sw_ids` and `perf_hw_id` in linux/perf_event.h.
public struct SampledEvent: Equatable, Sendable, CustomStringConvertible {
  public let name: String
  /// The event's number for perf_event_open(2).
  public let config: UInt64
  /// How many events pass between two runs when the SPEC does not say.
  public let defaultCount: UInt64
  let alias: String?

  /// Whether the CPU counts it, as against the kernel.
  var isHardware: Bool { Self.hardware.contains(self) }

  /// Whether it passes as time does.
  var countsCycles: Bool { isHardware && ["cpu-cycles", "ref-cycles"].contains(name) }

  static let cpuClock = software.first { $0.config == UInt64(PERF_COUNT_SW_CPU_CLOCK.rawValue) }

  public var description: String { name }

  private init(_ name: String, _ config: UInt32, count: UInt64, alias: String? = nil) {
    self.name = name
    self.config = UInt64(config)
    defaultCount = count
    self.alias = alias
  }

  public static let software = [
    SampledEvent("alignment-faults", PERF_COUNT_SW_ALIGNMENT_FAULTS.rawValue, count: 1),
    SampledEvent("bpf-output", PERF_COUNT_SW_BPF_OUTPUT.rawValue, count: 1),
    SampledEvent("context-switches", PERF_COUNT_SW_CONTEXT_SWITCHES.rawValue, count: 1000, alias: "cs"),
    SampledEvent("cpu-clock", PERF_COUNT_SW_CPU_CLOCK.rawValue, count: 1_000_000, alias: "cpu"),
    SampledEvent("cpu-migrations", PERF_COUNT_SW_CPU_MIGRATIONS.rawValue, count: 1),
    SampledEvent("dummy", PERF_COUNT_SW_DUMMY.rawValue, count: 1),
    SampledEvent("emulation-faults", PERF_COUNT_SW_EMULATION_FAULTS.rawValue, count: 1),
    SampledEvent("major-faults", PERF_COUNT_SW_PAGE_FAULTS_MAJ.rawValue, count: 1),
    SampledEvent("minor-faults", PERF_COUNT_SW_PAGE_FAULTS_MIN.rawValue, count: 100),
    SampledEvent("page-faults", PERF_COUNT_SW_PAGE_FAULTS.rawValue, count: 100, alias: "faults"),
    SampledEvent("task-clock", PERF_COUNT_SW_TASK_CLOCK.rawValue, count: 1_000_000),
  ]

  public static let hardware = [
    SampledEvent("backend-stalls", PERF_COUNT_HW_STALLED_CYCLES_BACKEND.rawValue, count: 1_000_000),
    SampledEvent("branch-instructions", PERF_COUNT_HW_BRANCH_INSTRUCTIONS.rawValue, count: 100_000, alias: "branches"),
    SampledEvent("branch-misses", PERF_COUNT_HW_BRANCH_MISSES.rawValue, count: 100_000),
    SampledEvent("bus-cycles", PERF_COUNT_HW_BUS_CYCLES.rawValue, count: 100_000),
    SampledEvent("cache-misses", PERF_COUNT_HW_CACHE_MISSES.rawValue, count: 1_000_000),
    SampledEvent("cache-references", PERF_COUNT_HW_CACHE_REFERENCES.rawValue, count: 1_000_000),
    SampledEvent("cpu-cycles", PERF_COUNT_HW_CPU_CYCLES.rawValue, count: 1_000_000, alias: "cycles"),
    SampledEvent("frontend-stalls", PERF_COUNT_HW_STALLED_CYCLES_FRONTEND.rawValue, count: 1_000_000),
    SampledEvent("instructions", PERF_COUNT_HW_INSTRUCTIONS.rawValue, count: 1_000_000),
    SampledEvent("ref-cycles", PERF_COUNT_HW_REF_CPU_CYCLES.rawValue, count: 1_000_000),
  ]
}
