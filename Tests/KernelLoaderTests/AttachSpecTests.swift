import KernelLoader
import Support
import Testing

/// What users write after `probe(` and `--attach`.
@Suite struct AttachSpecTests {
  @Test(arguments: [
    ("t:sched:sched_switch", "tracepoint:sched:sched_switch"), ("rt:sys_enter", "rawtracepoint:sys_enter"),
    ("tp_btf:sys_enter", "tp_btf:sys_enter"), ("k:do_unlinkat+8", "kprobe:do_unlinkat+8"),
    ("kr:do_unlinkat", "kretprobe:do_unlinkat"), ("ksyscall:openat", "ksyscall:openat"),
    ("kretsyscall:openat", "kretsyscall:openat"), ("f:tcp_sendmsg", "fentry:tcp_sendmsg"),
    ("fr:tcp_sendmsg", "fexit:tcp_sendmsg"), ("u:/bin/bash:readline", "uprobe:/bin/bash:readline"),
    ("u:libc:malloc+0x10", "uprobe:libc:malloc+16"), ("u:libc:0x1f", "uprobe:libc:0x1f"),
    ("ur:libc:malloc", "uretprobe:libc:malloc"), ("u:/odd:path/x:main", "uprobe:/odd:path/x:main"),
    ("U:libc:libc:setjmp", "usdt:libc:libc:setjmp"), ("p:99", "profile:99"), ("i:0.5", "interval:0.5"),
    ("s:cs", "software:context-switches:1000"), ("s:faults:7", "software:page-faults:7"),
    ("h:cycles:1000000", "hardware:cpu-cycles:1000000"), ("it:task_file", "iter:task_file"), ("xdp:eth0", "xdp:eth0"),
    ("tc:eth0:egress", "tc:eth0:egress"), ("tcx:eth0:ingress", "tcx:eth0:ingress"),
    ("tc:eth0:ingress:3", "tc:eth0:ingress:3"),
    ("tc:eth0:egress:0x3:0x10", "tc:eth0:egress:3:16"), ("xdp:eth0:skb", "xdp:eth0:skb"),
    ("netfilter:ipv4:local_in", "netfilter:ipv4:local_in:0"),
    ("netfilter:ipv6:pre_routing:-100", "netfilter:ipv6:pre_routing:-100"),
    ("perf_event:cycles:99hz", "perf_event:cpu-cycles:99hz"), ("perf_event:cs", "perf_event:context-switches:1000"),
    ("cgroup:/a:b", "cgroup:/a:b"), ("cgroup", "cgroup"), ("socket:12:5", "socket:12:5"),
    ("socket", "socket"), ("socket:lo", "socket:lo"), ("socket:5", "socket:5"), ("sockmap:peers", "sockmap:peers"),
    ("netns", "netns:/proc/self/ns/net"),
  ])
  func formsAndShortForms(text: String, long: String) throws {
    let spec = try AttachSpec(text)
    #expect(spec.description == long)
    #expect(try AttachSpec(long) == spec)
  }

  @Test(arguments: [
    ("tracepont:a:b", "did you mean 'tracepoint'?"), ("", "no probe is called ''"),
    ("t:sched", "tracepoint:CATEGORY:EVENT"),
    ("t::x", "tracepoint:CATEGORY:EVENT"), ("k:", "kprobe:FUNCTION"), ("k:f+x", "kprobe:FUNCTION"),
    ("u:libc", "uprobe:BINARY:SYMBOL"), ("ur:libc:f+4", "uretprobe:BINARY:SYMBOL"),
    ("U:libc:x", "usdt:BINARY:PROVIDER:NAME"),
    ("p:0", "profile:HZ"), ("p:many", "profile:HZ"), ("i:-1", "interval:SECONDS"), ("i:nan", "interval:SECONDS"),
    ("s:context-switch", "did you mean 'context-switches'?"), ("s:cs:0", "software:EVENT"),
    ("h:cycle", "no hardware event"),
    ("tc:eth0:sideways", "tc:INTERFACE:ingress"), ("xdp:", "xdp:INTERFACE"), ("x", "one of"),
    ("xdp:eth0:fast", "xdp:INTERFACE:skb"), ("tc:eth0:ingress:65536", ":PRIORITY"), ("tc:eth0:ingress:1:", ":PRIORITY"),
    ("tcx:eth0:ingress:1", "tcx:INTERFACE:ingress"), ("netfilter:ip:forward", "netfilter:ipv4:HOOK"),
    ("netfilter:ipv4:input", "one of pre_routing, local_in, forward"),
    ("netfilter:ipv4:forward:2147483648", "[:PRIORITY]"),
    ("perf_event:cycle", "no perf event"), ("perf_event:cycles:0hz", "perf_event:EVENT:HZhz"),
    ("perf_event:cycles:99:hz", "perf_event:EVENT:HZhz"),
  ])
  func mistakes(text: String, part: String) throws {
    let error = try failure { _ = try AttachSpec(text) }
    #expect(error.code == .usage)
    #expect(error.description.contains(part), "\(error)")
    #expect(error.description.contains("'\(text)'"))
  }
}
