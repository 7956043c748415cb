/// Numbers of the kernel's helper functions that this room treats specially (`enum bpf_func_id` in linux/bpf.h).
enum Helper {
  static let ringReserve: Int32 = 131

  /// perf_event_output, skb_output, xdp_output, ringbuf_output, ringbuf_reserve, ringbuf_reserve_dynptr.
  static func isOutput(_ helper: Int32) -> Bool {
    [25, 111, 121, 130, ringReserve, 198].contains(helper)
  }

  /// What a helper can do to the system beyond reading it; nil for the others.
  static func kernelWrite(_ helper: Int32) -> String? {
    switch helper {
    case 36: "writes into the memory of processes (bpf_probe_write_user)"
    case 58: "overrides what kernel functions return (bpf_override_return)"
    case 109: "sends signals to processes (bpf_send_signal)"
    case 117: "sends signals to threads (bpf_send_signal_thread)"
    default: nil
    }
  }
}
