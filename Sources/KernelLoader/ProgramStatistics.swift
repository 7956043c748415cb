import CLibbpf
import Support

/// How often a program ran and how long that took.
public struct ProgramStatistics: Equatable, Sendable {
  public let runCount: UInt64
  public let runTimeNanoseconds: UInt64
  /// Times that it was not run because it was running on that CPU already.
  public let recursionMisses: UInt64

  /// The mean time of a run; nil when it never ran.
  public var meanNanoseconds: Double? {
    runCount == 0 ? nil : Double(runTimeNanoseconds) / Double(runCount)
  }
}

/// Makes the kernel measure the runs of all programs for as long as this value is held.
///
/// Measuring costs each run some tens of nanoseconds (`BPF_ENABLE_STATS` in bpf(2)).
public struct StatisticsCollection: ~Copyable {
  private let descriptor: OwnedDescriptor

  /// Starts measuring. Throws `.notPermitted` without CAP_SYS_ADMIN.
  public init() throws(MoontraceError) {
    do throws(KernelFailure) {
      descriptor = OwnedDescriptor(try checkLibbpf { bpf_enable_stats(BPF_STATS_RUN_TIME) })
    } catch {
      throw error.error("run statistics")
    }
  }
}

extension BPFProgram {
  /// What the kernel has measured of this program while a `StatisticsCollection` was held.
  public func statistics() throws(MoontraceError) -> ProgramStatistics {
    try handle.requireLoaded(subject)
    var info = bpf_prog_info()
    var length = UInt32(MemoryLayout<bpf_prog_info>.size)
    let descriptor = self.descriptor
    do throws(KernelFailure) {
      try checkLibbpf { bpf_obj_get_info_by_fd(descriptor, &info, &length) }
    } catch {
      throw error.error("\(handle.name): \(subject): can't read its statistics")
    }
    return ProgramStatistics(
      runCount: info.run_cnt, runTimeNanoseconds: info.run_time_ns, recursionMisses: info.recursion_misses)
  }
}
