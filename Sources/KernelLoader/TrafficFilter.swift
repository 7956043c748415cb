import CLibbpf
import Support

/// A program attached through tc's own interface: for kernels before 6.6, which have no tcx links, and for those that want
/// a filter's priority.
///
/// Such a filter belongs to the interface, not to this process: it is removed on detach, but a process that is killed
/// with SIGKILL leaves it behind (`tc filter del dev IFACE ingress` removes it).
struct TrafficFilter {
  struct Place {
    var interface: Int32
    var direction: AttachSpec.TrafficDirection
    /// 0: what the kernel chooses.
    var priority: UInt32 = 0
    var handle: UInt32 = 0
  }

  let interface: Int32
  let point: bpf_tc_attach_point
  /// Whether the interface had no clsact queue before, so that it is ours to remove.
  let madeQueue: Bool
  private var handle: UInt32 = 0
  private var priority: UInt32 = 0
  private var isAttached = false

  init(program: Int32, _ place: Place) throws(KernelFailure) {
    interface = place.interface
    point = place.direction == .ingress ? BPF_TC_INGRESS : BPF_TC_EGRESS
    var hook = Self.hook(interface, point)
    madeQueue = LibbpfLog.capture { bpf_tc_hook_create(&hook) }.result == 0
    var options = Self.options()
    options.prog_fd = program
    options.handle = place.handle
    options.priority = place.priority
    do throws(KernelFailure) {
      try checkLibbpf { bpf_tc_attach(&hook, &options) }
    } catch {
      remove()
      throw error
    }
    handle = options.handle
    priority = options.priority
    isAttached = true
  }

  func remove() {
    var hook = Self.hook(interface, point)
    if isAttached {
      var options = Self.options()
      options.handle = handle
      options.priority = priority
      _ = LibbpfLog.capture { bpf_tc_detach(&hook, &options) }
    }
    guard madeQueue else { return }
    // Ingress and egress together are the whole clsact queue (libbpf's netlink.c).
    hook.attach_point = bpf_tc_attach_point(rawValue: BPF_TC_INGRESS.rawValue | BPF_TC_EGRESS.rawValue)
    _ = LibbpfLog.capture { bpf_tc_hook_destroy(&hook) }
  }

  private static func hook(_ interface: Int32, _ point: bpf_tc_attach_point) -> bpf_tc_hook {
    var hook = bpf_tc_hook()
    hook.sz = optionsSize(upTo: \bpf_tc_hook.parent)
    hook.ifindex = interface
    hook.attach_point = point
    return hook
  }

  private static func options() -> bpf_tc_opts {
    var options = bpf_tc_opts()
    options.sz = optionsSize(upTo: \bpf_tc_opts.priority)
    return options
  }
}
