import KernelTestSupport
import Testing

/// Maps of programs in C that are shown while the program runs.
@Suite(.requires(.root, .clang))
struct CProgramMapTests {
  private static let source = """
    struct who { __u32 pid; char comm[8]; };
    struct sum { __u64 count, total; };
    struct hist { char comm[8]; __u32 slots[8]; };
    MAP(sums, HASH, struct who, struct sum, 100);
    MAP(percpu, PERCPU_HASH, __u32, __u64, 100);
    MAP(hists, HASH, __u32, struct hist, 100);
    MAP(array, ARRAY, __u32, __u64, 8);
    MAP(labels, PERCPU_ARRAY, __u32, struct hist, 1);
    MAP(plain, PERCPU_ARRAY, __u32, __u32[8], 1);
    MAP(stacks, STACK_TRACE, __u32, __u64[10], 10);
    __u64 calls;
    ON_CALL {
      ONLY_OURS;
      __u32 number = __sync_fetch_and_add(&calls, 1);
      struct who who = {5, "me"};
      struct sum first = {1, number}, *sum = bpf_map_lookup_elem(&sums, &who);
      if (sum) sum->count++, sum->total += number; else bpf_map_update_elem(&sums, &who, &first, 0);
      __u32 key = 7;
      __u64 one = 1, *count = bpf_map_lookup_elem(&percpu, &key);
      if (count) ++*count; else bpf_map_update_elem(&percpu, &key, &one, 0);
      struct hist zero = {"me"}, *hist = bpf_map_lookup_elem(&hists, &key);
      if (!hist) bpf_map_update_elem(&hists, &key, &zero, 0), hist = bpf_map_lookup_elem(&hists, &key);
      if (hist) hist->slots[number & 3]++;
      key = 3, count = bpf_map_lookup_elem(&array, &key);
      if (count) ++*count;
      key = 0, hist = bpf_map_lookup_elem(&labels, &key);
      if (hist) hist->comm[0] = 'z', hist->slots[number & 3]++;
      __u32 *slots = bpf_map_lookup_elem(&plain, &key);
      if (slots) slots[number & 3]++;
      return 0;
    }
    """

  private static let bench = Result { try CProgramBench(source) }

  /// What a map looks like at the end, when its interval has not come before.
  private func sample(_ text: String, _ options: String...) throws -> MoontraceProcess.Finished {
    let run = try Self.bench.get().run(options: ["--sample", text] + options, command: "getppid 7")
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    return run
  }

  @Test func tablesOfRecords() throws {
    #expect(
      try sample("sums=table,60000").output == """
        sums
        PID COMM COUNT TOTAL
          5 me       7    21

        """)
    #expect(
      try sample("sums=default_kv,60000", "-f", "json").output
        == "{\"aggregate\":\"sums\",\"type\":\"table\",\"data\":[{\"key\":[5,\"me\"],\"value\":{\"count\":7,\"total\":21}}]}\n"
    )
    #expect(try sample("sums=table,60000", "-f", "csv").output == "map,pid,comm,count,total\nsums,5,me,7,21\n")
  }

  @Test func valuesOfSeveralCPUsAreSummed() throws {
    #expect(try sample("percpu=table,60000").output == "percpu\nKEY VALUE\n  7     7\n")
    let line = try #require(try sample("plain=log2,60000", "-f", "json").lines.first)
    let counts = try JSON(line)["data"]?.list?.first?["value"]?.list?.compactMap { $0["count"]?.integer }
    #expect(counts == [2, 2, 2, 1])
  }

  @Test func valuesWithoutASumAreListedByCPU() throws {
    let line = try #require(try sample("labels=table,60000", "-f", "json").lines.first)
    let rows = try #require(try JSON(line)["data"]?.list)
    #expect(!rows.isEmpty && rows.allSatisfy { $0["cpu"]?.integer != nil && $0["key"]?.list?.isEmpty == true })
    let total = rows.reduce(0) { $0 + ($1["value"]?["slots"]?.list ?? []).reduce(0) { $0 + ($1.integer ?? 0) } }
    #expect(total == 7)
  }

  @Test func entriesOfArraysThatHoldNothingAreLeftOut() throws {
    #expect(try sample("array=table,60000").output == "array\nKEY VALUE\n  3     7\n")
  }

  @Test func histograms() throws {
    #expect(
      try sample("hists=log2,60000").output == """
        hists = 7, me
        value   : count  distribution
        0 -> 1  :     2  |****************************************|
        2 -> 3  :     2  |****************************************|
        4 -> 7  :     2  |****************************************|
        8 -> 15 :     1  |********************                    |

        """)
    let linear = try JSON(try #require(try sample("hists=linear,60000", "-f", "json").lines.first))
    #expect(linear["type"] == .text("lhist"))
    let row = try #require(linear["data"]?.list?.first)
    #expect(row["comm"] == .text("me") && row["key"] == .list([.integer(7)]))
    #expect(row["value"]?.list?.last == (try JSON("{\"min\":3,\"max\":3,\"count\":1}")))
    #expect(
      try sample("hists=linear,60000", "-f", "csv").output == """
        map,key,min,max,count
        hists,"7, me",0,0,2
        hists,"7, me",1,1,2
        hists,"7, me",2,2,2
        hists,"7, me",3,3,1

        """)
  }

  /// As in the tables of events.
  @Test func membersThatAreArrays() throws {
    #expect(try sample("hists=table,60000").output == "hists\nKEY COMM SLOTS\n  7 me   [2,2,2,1,0,0,0,0]\n")
  }

  @Test func mapsWithSlotsAreShownWhereNothingElseIs() throws {
    let run = try Self.bench.get().run(command: "getppid 7")
    #expect(run.status == 0)
    #expect(run.output.contains("hists = 7, me\n") && run.output.contains("plain\n"), "\(run.output)")
    #expect(!run.output.contains("sums"))
  }

  @Test func eachIntervalShowsAndEmpties() throws {
    let bench = try Self.bench.get()
    let package = try bench.package(
      """
      "maps": [{"name": "percpu", "ident": "percpu",
        "sample": {"interval": 20, "type": "default_kv", "unit": "(calls)", "clear_map": true}}]
      """)
    let path = try bench.write(package)
    let run = try bench.run(target: path, options: ["-f", "json"], command: "getppid 2000000")
    #expect(run.status == 0, "\(run.errors)")
    let rows = try run.lines.flatMap { try JSON($0)["data"]?.list ?? [] }
    #expect(rows.count > 1)
    // A call in between reading and emptying counts in neither; there may be some.
    let total = rows.reduce(0) { $0 + ($1["value"]?.integer ?? 0) }
    #expect(total > 1_000_000 && total <= 2_000_000, "\(total)")
    let table = try bench.run(target: path, command: "getppid 3")
    // How many intervals the calls fall into is the scheduler's choice.
    #expect(table.output.contains("percpu\nKEY CALLS\n  7     "), "\(table.output)")
    let counts = table.lines.filter { $0.hasPrefix("  7 ") }.compactMap { Int($0.dropFirst(3).filter { $0 != " " }) }
    #expect(counts.reduce(0, +) == 3, "\(table.output)")
  }

  @Test(arguments: [
    ("sumz", "--sample: OBJECT has no map 'sumz' (did you mean 'sums'?)"),
    ("sums=tabel", "--sample: there is no form 'tabel' (did you mean 'table'?) (one of linear, log2, table)"),
    ("sums=table,0", "--sample: expected milliseconds above 0, got '0'"),
    ("sums=table,x", "--sample: expected milliseconds above 0, got 'x'"),
    (
      "sums=log2",
      "--sample: OBJECT: map 'sums': a histogram needs values with an array of integers called slots "
        + "(sample it as default_kv)"
    ),
    ("stacks", "--sample: OBJECT: map 'stacks': a stack_trace has no entries that could be shown"),
  ])
  func mistakes(_ text: String, _ message: String) throws {
    let bench = try Self.bench.get()
    let run = try bench.run(options: ["--sample", text])
    #expect(run.status == 2 && run.errors == message.replacing("OBJECT", with: bench.object) + "\n")
  }
}
