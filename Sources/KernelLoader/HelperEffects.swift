import BPFAssembly

/// What helpers do beyond computing, by number: programs may call newer helpers than `Helper` names.
extension Helper {
  /// Whether the helper sends an event, or makes room for one, and so may lose it.
  static func isOutput(_ number: Int32) -> Bool {
    switch Helper(rawValue: number) {
    case .perfEventOutput, .skbOutput, .xdpOutput, .ringbufOutput, .ringbufReserve, .ringbufReserveDynptr: true
    default: false
    }
  }

  /// What a helper can do to the system beyond reading it; nil for the others.
  static func kernelWrite(_ number: Int32) -> String? {
    switch Helper(rawValue: number) {
    case .probeWriteUser: "writes into the memory of processes (bpf_probe_write_user)"
    case .overrideReturn: "overrides what kernel functions return (bpf_override_return)"
    case .sendSignal: "sends signals to processes (bpf_send_signal)"
    case .sendSignalThread: "sends signals to threads (bpf_send_signal_thread)"
    default: nil
    }
  }
}
