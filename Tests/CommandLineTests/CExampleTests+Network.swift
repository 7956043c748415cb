import Glibc
import KernelTestSupport
import Support
import Testing

/// The examples that see packets and connections, over the loopback device of a network namespace of the test's own:
/// a datagram for each of the ports 9 and 10.
extension CExampleTests {
  /// Runs an example in a network of its own while the datagrams are sent; `place` is its `--attach`.
  private func traceDatagrams(
    _ name: String, _ arguments: String..., at place: String, before: String = ""
  ) throws -> [JSON] {
    let files = try TemporaryDirectory()
    let sends = try files.write(
      "send", "\(before)\nfor port in 9 10; do echo hello >/dev/udp/127.0.0.1/$port; done 2>/dev/null\ntrue\n")
    let options = "-f json -d 60 --allow kernel.write --attach \(place) -c 'bash \(sends)'"
    let run = "$0 run \(options) \(path(name)) \(arguments.joined(separator: " "))"
    return try records(
      runShell("unshare --net sh -c 'ip link set lo up && exec \"$@\"' sh \(run)"))
  }

  @Test func packets() throws {
    let packets = try traceDatagrams("packets", "--port", "10", at: "on_packet=socket:lo")
    let loopback = JSON.list([127, 0, 0, 1].map { .integer($0) })
    let from = try #require(packets.first?["from_port"])
    // 14 bytes of Ethernet, 20 of IP, 8 of UDP, and `hello` in a line; on this device one goes out and comes in.
    let expected: [String: JSON] = [
      "protocol": .text("UDP"), "from": loopback, "from_port": from, "to": loopback, "to_port": .integer(10),
      "length": .integer(48),
    ]
    #expect(!packets.isEmpty && packets.allSatisfy { $0 == .object(expected) }, "\(packets)")
    #expect(try traceDatagrams("packets", "-p", "11", at: "on_packet=socket:lo") == [])
  }

  @Test func firewall() throws {
    func udp(_ records: [JSON]) -> JSON? {
      rows(records.suffix(1)).first { $0["key"] == .list([.integer(17)]) }?["value"]
    }
    let place = "on_frame=xdp:lo"
    #expect(udp(try traceDatagrams("firewall", "--port", "9", at: place)) == (try JSON("{\"passed\":1,\"dropped\":1}")))
    #expect(udp(try traceDatagrams("firewall", at: place)) == (try JSON("{\"passed\":2,\"dropped\":0}")))
  }

  /// What leaves are the two datagrams and ICMP's answers, which carry 28 bytes more and the datagrams themselves.
  @Test func senders() throws {
    let volumes = rows(try traceDatagrams("senders", at: "on_packet=tc:lo:egress").suffix(1))
    #expect(volumes.map { $0["value"] } == [try JSON("{\"packets\":4,\"bytes\":\(2 * 48 + 2 * (48 + 28))}")])
  }

  @Test func connects() throws {
    let mounts = String(decoding: try readFile("/proc/mounts"), as: UTF8.self).split(separator: "\n")
    let hierarchy = try #require(
      mounts.map { $0.split(separator: " ") }.first { $0.count > 2 && $0[2] == "cgroup2" }?[1], "no cgroup2 is mounted")
    let group = "\(hierarchy)/moontrace-connects-\(getpid())"
    try #require(mkdir(group, 0o755) == 0)
    defer { rmdir(group) }
    let events = try traceDatagrams(
      "connects", "--deny", "10", at: "on_connect=cgroup:\(group)", before: "echo $$ >\(group)/cgroup.procs")
    #expect(events.map { $0["port"] } == [.integer(9), .integer(10)])
    #expect(events.map { $0["allowed"] } == [.boolean(true), .boolean(false)])
    let loopback = JSON.list([127, 0, 0, 1].map { .integer($0) })
    #expect(events.allSatisfy { $0["comm"] == .text("bash") && $0["address"] == loopback })
  }
}
