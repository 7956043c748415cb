import Glibc
import KernelTestSupport
import Support
import Testing

/// The recipes that watch the network, over the loopback device of a network namespace of the workload's own.
extension RecipeTests {
  static let families = ["4", "6"]

  private func loopback(_ family: String) -> JSON { .text(family == "4" ? "127.0.0.1" : "::1") }

  private func port(_ printed: [String], _ index: Int) throws -> JSON {
    try #require(printed.count > index, "\(printed)")
    return .integer(try #require(Int64(printed[index])))
  }

  // MARK: TCP

  @Test(arguments: families) func tcpconnect(family: String) throws {
    let load = try HeldWorkload("tcp", family)
    let (records, ports) = try traceAndRead(["tcpconnect", "-p", "%"], of: load)
    let address = loopback(family)
    let common: [String: JSON] = [
      "pid": load.id, "comm": .text("workload"), "uid": .integer(0), "ip": .integer(family == "4" ? 4 : 6),
      "saddr": address, "daddr": address,
    ]
    let expected = try [0, 2].map { JSON.object(common.merging(["dport": try port(ports, $0)]) { $1 }) }
    #expect(records == expected)
  }

  @Test func tcpconnectToOnePort() throws {
    let load = try HeldWorkload("tcp", "4")
    #expect(try trace(["tcpconnect", "-p", "%", "-P", "1"], of: load) == [])
  }

  @Test(arguments: families) func tcpconnlat(family: String) throws {
    let load = try HeldWorkload("tcp", family)
    let start = ContinuousClock.now
    let (records, ports) = try traceAndRead(["tcpconnlat", "-p", "%"], of: load)
    #expect(column("result", records) == [.text("connected"), .text("failed")])
    #expect(column("sport", records) == [try port(ports, 1), try port(ports, 3)])
    #expect(column("dport", records) == [try port(ports, 0), try port(ports, 2)])
    for record in records {
      #expect(record["pid"] == load.id && record["comm"] == .text("workload"))
      #expect(record["saddr"] == loopback(family) && record["daddr"] == loopback(family))
      let latency = try #require(record["lat_us"]?.integer)
      #expect(latency >= 0 && .microseconds(latency) < ContinuousClock.now - start)
    }
  }

  @Test func tcpconnlatOfSlowOnesOnly() throws {
    #expect(try trace(["tcpconnlat", "-p", "%", "-m", "60000000"], of: HeldWorkload("tcp", "4")) == [])
  }

  @Test(arguments: families) func tcplife(family: String) throws {
    let load = try HeldWorkload("tcp", family)
    let (records, ports) = try traceAndRead(["tcplife", "-p", "%"], of: load)
    func life(_ local: Int, _ remote: Int, sent: Int64, received: Int64) throws -> [JSON?] {
      [try port(ports, local), try port(ports, remote), .integer(sent), .integer(received)]
    }
    // The acknowledged bytes count SYN and FIN, and the server's FIN is not acknowledged by one that is gone.
    let expected = [
      try life(1, 0, sent: 1002, received: 301), try life(0, 1, sent: 301, received: 1001),
      try life(3, 2, sent: 0, received: 0),
    ]
    let columns = ["lport", "rport", "tx_bytes", "rx_bytes"]
    #expect(records.map { record in columns.map { record[$0] } } == expected)
    for record in records {
      #expect(record["comm"] == .text("workload"))
      #expect(record["laddr"] == loopback(family) && record["raddr"] == loopback(family))
    }
  }

  @Test func tcplifeOfOnePort() throws {
    #expect(try trace(["tcplife", "-p", "%", "-L", "1"], of: HeldWorkload("tcp", "4")) == [])
  }

  @Test(arguments: families) func tcpstates(family: String) throws {
    let load = try HeldWorkload("tcp", family)
    let (records, ports) = try traceAndRead(["tcpstates"], of: load)
    /// The states of the connection between two ports, its first one included.
    func states(_ local: JSON, _ remote: JSON) -> [String?] {
      let own = records.filter { $0["lport"] == local && $0["rport"] == remote && $0["laddr"] == loopback(family) }
      return own.prefix(1).map { $0["oldstate"]?.text } + own.map { $0["newstate"]?.text }
    }
    let (server, client) = (try port(ports, 0), try port(ports, 1))
    #expect(states(client, server) == ["CLOSE", "SYN_SENT", "ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "CLOSE"])
    // Where it comes from LISTEN, some kernels don't know the other port yet.
    #expect(states(server, client).suffix(5) == ["SYN_RECV", "ESTABLISHED", "CLOSE_WAIT", "LAST_ACK", "CLOSE"])
    #expect(states(try port(ports, 3), try port(ports, 2)) == ["CLOSE", "SYN_SENT", "CLOSE"])
    let listener = records.filter { $0["lport"] == server && $0["rport"] == .integer(0) }
    #expect(listener.first?["newstate"] == .text("LISTEN") && listener.last?["newstate"] == .text("CLOSE"))
    #expect(try #require(listener.last?["us"]?.integer) > 0)
  }

  @Test func tcpretrans() throws {
    let (records, printed) = try traceAndRead(["tcpretrans"], of: HeldWorkload("tcp-loss"))
    let (server, client) = (try port(printed, 0), try port(printed, 1))
    let own = records.filter { $0["lport"] == client && $0["rport"] == server }
    #expect(own.count == Int(printed[2]) && !own.isEmpty)
    for record in own {
      #expect(record["laddr"] == .text("127.0.0.1") && record["raddr"] == .text("127.0.0.1"))
      #expect(record["state"] == .text("ESTABLISHED"))
    }
  }

  @Test func tcpretransCounted() throws {
    let (records, printed) = try traceAndRead(["tcpretrans", "-c"], of: HeldWorkload("tcp-loss"))
    let client = try port(printed, 1)
    let expected: [String: JSON] = [
      "laddr": .text("127.0.0.1"), "lport": client, "raddr": .text("127.0.0.1"), "rport": try port(printed, 0),
      "count": try port(printed, 2),
    ]
    #expect(records.filter { $0["lport"] == client } == [.object(expected)])
  }

  @Test func tcpdrop() throws {
    let (records, printed) = try traceAndRead(["tcpdrop", "-s"], of: HeldWorkload("tcp-loss"))
    let (server, client) = (try port(printed, 0), try port(printed, 1))
    let own = records.filter { $0["sport"] == client && $0["dport"] == server }
    #expect(own.count == Int(printed[2]) && !own.isEmpty)
    for record in own {
      #expect(record["saddr"] == .text("127.0.0.1") && record["daddr"] == .text("127.0.0.1"))
      #expect(record["flags"] == .text("PSH|ACK") && record["place"] == .text("tcp_v4_rcv"))
      #expect(record["stack"]?.text?.contains("tcp_v4_rcv") == true)
    }
  }

  @Test func tcpdropOfRefusedConnections() throws {
    let (records, ports) = try traceAndRead(["tcpdrop"], of: HeldWorkload("tcp", "4"))
    let own = records.filter { $0["dport"] == .integer(Int64(ports[2]) ?? 0) }
    #expect(own.map { $0["sport"] } == [try port(ports, 3)])
    #expect(own.first?["flags"] == .text("SYN"))
    #expect(try trace(["tcpdrop", "-P", "1"], of: HeldWorkload("tcp", "4")) == [])
  }

  @Test(.requires(.kprobes), arguments: families) func tcpaccept(family: String) throws {
    let load = try HeldWorkload("tcp", family)
    let (records, ports) = try traceAndRead(["tcpaccept", "-p", "%"], of: load)
    let expected: [String: JSON] = [
      "pid": load.id, "comm": .text("workload"), "ip": .integer(family == "4" ? 4 : 6),
      "raddr": loopback(family), "rport": try port(ports, 1), "laddr": loopback(family), "lport": try port(ports, 0),
    ]
    #expect(records == [.object(expected)])
    #expect(try trace(["tcpaccept", "-P", "1"], of: HeldWorkload("tcp", family)) == [])
  }

  // MARK: Sockets and libraries

  @Test func bindsnoop() throws {
    let load = try HeldWorkload("bind")
    let (records, ports) = try traceAndRead(["bindsnoop", "-p", "%"], of: load)
    func bound(_ protocolName: String, _ address: String, _ options: String, _ index: Int) throws -> JSON {
      .object([
        "pid": load.id, "comm": .text("workload"), "prot": .text(protocolName), "addr": .text(address),
        "opts": .text(options), "if": .integer(0), "port": try port(ports, index),
      ])
    }
    let expected = try [
      bound("TCP", "127.0.0.1", "R.", 0), bound("UDP", "127.0.0.1", "..", 1), bound("TCP", "::1", ".r", 2),
    ]
    #expect(records == expected)
    #expect(try trace(["bindsnoop", "-p", "%", "-P", "1"], of: HeldWorkload("bind")) == [])
  }

  @Test func gethostlatency() throws {
    var pid: Int64 = 0
    let start = ContinuousClock.now
    let records = try trace("gethostlatency") {
      pid = try self.start("/usr/bin/getent", "ahosts", "localhost").pid
    }.filter { $0["pid"]?.integer == pid }
    try #require(records.count == 1)
    #expect(records[0]["comm"] == .text("getent") && records[0]["host"] == .text("localhost"))
    let latency = try #require(records[0]["lat_us"]?.integer)
    #expect(latency > 0 && .microseconds(latency) < ContinuousClock.now - start)
  }

  @Test(arguments: [["-p", "%"], ["-c", "workload"]]) func sslsniff(options: [String]) throws {
    let load = try HeldWorkload("tls", "a secret of \(getpid())")
    let records = try trace(["sslsniff"] + options, of: load).filter { $0["pid"] == load.id }
    let secret = "a secret of \(getpid())"
    func passed(_ direction: String, _ text: String) -> JSON {
      .object([
        "rw": .text(direction), "pid": load.id, "comm": .text("workload"), "len": .integer(Int64(text.utf8.count)),
        "data": .text(text),
      ])
    }
    // Two threads write and read, so what both have done has no order between them.
    for expected in [
      passed("WRITE", secret), passed("READ", secret), passed("WRITE", "answer"), passed("READ", "answer"),
    ] {
      #expect(records.filter { $0 == expected }.count == 1, "\(records)")
    }
    #expect(records.count == 4)
  }
}
