import Support

/// What a program attaches to, as users write it (SPEC §3): `tracepoint:sched:sched_switch`, `u:libc:malloc`.
///
/// ```swift
/// let spec = try AttachSpec("profile:99")  // .profile(hertz: 99)
/// ```
public enum AttachSpec: Equatable, Sendable {
  /// `tracepoint:category:event`, `t`
  case tracepoint(category: String, name: String)
  /// `rawtracepoint:event`, `rt`
  case rawTracepoint(String)
  /// `tp_btf:event`: a raw tracepoint with typed arguments.
  case typedTracepoint(String)
  /// `kprobe:function[+offset]`, `k`; `kretprobe:function`, `kr`
  case kernelProbe(function: String, offset: Int, isReturn: Bool)
  /// `ksyscall:name`, `kretsyscall:name`: the kernel function behind a system call.
  case systemCall(name: String, isReturn: Bool)
  /// `fentry:function`, `f`; `fexit:function`, `fr`
  case kernelFunction(name: String, isReturn: Bool)
  /// `uprobe:binary:symbol[+offset]`, `u`; `uretprobe:binary:symbol`, `ur`
  case userProbe(binary: String, location: UserLocation, isReturn: Bool)
  /// `usdt:binary:provider:name`, `U`
  case usdt(binary: String, provider: String, name: String)
  /// `profile:HZ`, `p`: so many times a second on each CPU.
  case profile(hertz: Int)
  /// `interval:SECONDS`, `i`: on one CPU.
  case interval(nanoseconds: UInt64)
  /// `software:event[:count]`, `s`: every `count` events on each CPU.
  case software(SampledEvent, count: UInt64)
  /// `hardware:event[:count]`, `h`
  case hardware(SampledEvent, count: UInt64)
  /// `perf_event:event[:count|:HZhz]`: an event of software or hardware, every so many, or so many times a second, on each
  /// CPU.
  case perfEvent(SampledEvent, SampleRate)
  /// `iter:task`, `it`
  case iterator(String)
  /// `xdp:IFNAME[:skb|:drv]`
  case xdp(interface: String, mode: XDPMode? = nil)
  /// `tc:IFNAME:ingress|egress[:PRIORITY[:HANDLE]]`, `tcx:IFNAME:ingress|egress`
  case trafficControl(interface: String, direction: TrafficDirection, queue: TrafficQueue = .best)
  /// `netfilter:ipv4|ipv6:HOOK[:PRIORITY]`
  case netfilter(NetfilterHook)
  /// `cgroup[:PATH]`: the root of the version 2 hierarchy when the path is empty.
  case cgroup(path: String)
  /// `socket[:FD|:PID:FD|:IFNAME]`: a socket of this or another process, or a packet socket of the program's own.
  case socket(SocketTarget)
  /// `netns[:PATH]`: a network namespace, this process's when there is no path.
  case networkNamespace(path: String)
  /// `sockmap:MAP`: the sockets in a map of the same object.
  case socketMap(String)

  /// A place in an executable or library.
  public enum UserLocation: Equatable, Sendable {
    case symbol(String, offset: UInt64)
    /// Bytes from the start of the file.
    case fileOffset(UInt64)
    /// One place of a USDT probe.
    case probe(USDTNotes.Probe)
  }

  public enum TrafficDirection: String, Equatable, Sendable, CaseIterable {
    case ingress, egress
  }

  public enum SocketTarget: Equatable, Sendable {
    case descriptor(Int32)
    /// A descriptor of another process.
    case process(Int32, descriptor: Int32)
    /// All packets of an interface; of all interfaces when nil.
    case packets(interface: String?)
  }

  /// The names that a SPEC starts with, with their short forms.
  public static let kinds: [(name: String, short: String?)] = [
    ("tracepoint", "t"), ("rawtracepoint", "rt"), ("tp_btf", nil), ("kprobe", "k"), ("kretprobe", "kr"),
    ("ksyscall", nil), ("kretsyscall", nil), ("fentry", "f"), ("fexit", "fr"), ("uprobe", "u"), ("uretprobe", "ur"),
    ("usdt", "U"), ("profile", "p"), ("interval", "i"), ("software", "s"), ("hardware", "h"), ("perf_event", nil),
    ("iter", "it"), ("xdp", nil), ("tc", nil), ("tcx", nil), ("netfilter", nil), ("cgroup", nil), ("socket", nil),
    ("netns", nil), ("sockmap", nil),
  ]
}

extension AttachSpec: CustomStringConvertible {
  /// The SPEC with its long name.
  public var description: String {
    switch self {
    case .tracepoint(let category, let name): "tracepoint:\(category):\(name)"
    case .rawTracepoint(let name): "rawtracepoint:\(name)"
    case .typedTracepoint(let name): "tp_btf:\(name)"
    case .kernelProbe(let function, let offset, let isReturn):
      "\(isReturn ? "kretprobe" : "kprobe"):\(function)\(offset == 0 ? "" : "+\(offset)")"
    case .systemCall(let name, let isReturn): "\(isReturn ? "kretsyscall" : "ksyscall"):\(name)"
    case .kernelFunction(let name, let isReturn): "\(isReturn ? "fexit" : "fentry"):\(name)"
    case .userProbe(let binary, .probe(let probe), _):
      "usdt:\(binary):\(probe.provider):\(probe.name)"
    case .userProbe(let binary, let location, let isReturn):
      "\(isReturn ? "uretprobe" : "uprobe"):\(binary):\(location)"
    case .usdt(let binary, let provider, let name): "usdt:\(binary):\(provider):\(name)"
    case .profile(let hertz): "profile:\(hertz)"
    case .interval(let nanoseconds): "interval:\(Double(nanoseconds) / 1e9)"
    case .software(let event, let count): "software:\(event):\(count)"
    case .hardware(let event, let count): "hardware:\(event):\(count)"
    case .perfEvent(let event, let rate): "perf_event:\(event):\(rate)"
    case .iterator(let target): "iter:\(target)"
    case .xdp(let interface, let mode): "xdp:\(interface)\(mode.map { ":\($0.rawValue)" } ?? "")"
    case .trafficControl(let interface, let direction, .link): "tcx:\(interface):\(direction.rawValue)"
    case .trafficControl(let interface, let direction, let queue): "tc:\(interface):\(direction.rawValue)\(queue)"
    case .netfilter(let hook): "netfilter:\(hook)"
    case .cgroup(let path): path.isEmpty ? "cgroup" : "cgroup:\(path)"
    case .socket(.descriptor(let descriptor)): "socket:\(descriptor)"
    case .socket(.process(let process, let descriptor)): "socket:\(process):\(descriptor)"
    case .socket(.packets(let interface)): interface.map { "socket:\($0)" } ?? "socket"
    case .networkNamespace(let path): "netns:\(path)"
    case .socketMap(let map): "sockmap:\(map)"
    }
  }
}

extension AttachSpec.UserLocation: CustomStringConvertible {
  public var description: String {
    switch self {
    case .symbol(let name, let offset): offset == 0 ? name : "\(name)+\(offset)"
    case .fileOffset(let offset): "0x" + String(offset, radix: 16)
    case .probe(let probe): "\(probe.provider):\(probe.name)"
    }
  }
}
