import KernelTestSupport
import Testing

/// Numbers in maps and variables of programs in C that Lua's integers don't hold: they are shown as their types say.
@Suite(.requires(.root, .clang))
struct CProgramNumberTests {
  private static let source = """
    enum wide { TOP = 0xffffffffffffff00ULL, ONE = 1 };
    struct place { __u64 address; void *pointer; };
    struct inner { __u64 number; void *pointer; };
    struct facts { __u64 number; __s64 negative; __u64 list[2]; struct inner inner; enum wide name, other; };
    struct hist { __u64 address; __u32 slots[4]; };
    MAP(facts, HASH, struct place, struct facts, 8);
    MAP(sizes, HASH, __u64, __u64, 8);
    MAP(percpu, PERCPU_ARRAY, __u32, struct { __u64 sum; __s64 negative; }, 1);
    MAP(pointers, PERCPU_ARRAY, __u32, void *, 1);
    enum colour { RED, BLUE };
    struct paint { enum colour colour; char name[4]; _Bool is_dry; double price; void *next; unsigned __int128 code; };
    MAP(paints, ARRAY, __u32, struct paint, 3);
    struct {
      __uint(type, BPF_MAP_TYPE_HASH); __uint(key_size, 2); __uint(value_size, 4); __uint(max_entries, 1);
    } bytes SEC(".maps");
    MAP(hists, HASH, __u64, struct hist, 8);
    int odd_slots[4];
    __u64 total;
    ON_CALL {
      ONLY_OURS;
      struct place place = {0xffffffff81000000ULL, (void *)0xffff888000001234ULL};
      struct facts fact = {-2ULL, -2, {1, 1ULL << 63}, {-3ULL, (void *)0x10}, TOP, (enum wide)-5LL};
      bpf_map_update_elem(&facts, &place, &fact, 0);
      for (__u64 i = 0; i < 4; i++) {
        __u64 key = i & 1 ? -i : i, size = i << 62;
        bpf_map_update_elem(&sizes, &key, &size, 0);
      }
      __u32 zero = 0;
      for (__u32 cpu = 0; cpu < 2; cpu++) {
        struct { __u64 sum; __s64 negative; } *sums = bpf_map_lookup_percpu_elem(&percpu, &zero, cpu);
        if (sums) sums->sum = (1ULL << 62) + 3, sums->negative = -1;
        void **pointer = bpf_map_lookup_percpu_elem(&pointers, &zero, cpu);
        if (pointer) *pointer = (void *)-16;
      }
      zero = 1;
      struct paint paint = {BLUE, .code = 0xab};
      bpf_map_update_elem(&paints, &zero, &paint, 0);
      __u8 key[2] = {0, 0xff}, value[4] = {0x80, 'a', '"'};
      bpf_map_update_elem(&bytes, key, value, 0);
      __u64 address = -1ULL;
      struct hist hist = {-2ULL, {0, 3}};
      bpf_map_update_elem(&hists, &address, &hist, 0);
      total = -7ULL, odd_slots[2] = -1;
      return 0;
    }
    """

  private static let bench = Result { try CProgramBench(source) }

  /// What it looks like at the end.
  private func sample(_ text: String, _ options: String...) throws -> String {
    let run = try Self.bench.get().run(options: ["--sample", text + ",60000"] + options, command: "getppid 1")
    #expect(run.status == 0 && run.errors == "", "\(run.errors)")
    return run.output
  }

  @Test func membersAndElements() throws {
    let columns = "ADDRESS            POINTER               NUMBER NEGATIVE LIST                    INNER"
    #expect(try sample("facts=table").contains(columns))
    #expect(
      try sample("facts=table", "-f", "json") == """
        {"aggregate":"facts","type":"table","data":[{"key":[18446744071578845184,18446612682070037044],"value":\
        {"inner":{"number":18446744073709551613,"pointer":16},"list":[1,9223372036854775808],"name":"TOP",\
        "negative":-2,"number":18446744073709551614,"other":18446744073709551611}}]}

        """)
    #expect(
      try sample("facts=table", "-f", "csv") == """
        map,address,pointer,number,negative,list,inner,name,other
        facts,18446744071578845184,18446612682070037044,18446744073709551614,-2,"[1,9223372036854775808]",\
        "{""number"":18446744073709551613,""pointer"":16}",TOP,18446744073709551611

        """)
  }

  @Test func theLargestComeFirst() throws {
    #expect(
      try sample("sizes=table") == """
        sizes
                         KEY                VALUE
        18446744073709551613 13835058055282163712
                           2  9223372036854775808
        18446744073709551615  4611686018427387904
                           0                    0

        """)
  }

  @Test func sumsOfSeveralCPUs() throws {
    #expect(
      try sample("percpu=table", "-f", "json")
        == "{\"aggregate\":\"percpu\",\"type\":\"table\",\"data\":[{\"key\":[],\"value\":"
        + "{\"negative\":-2,\"sum\":9223372036854775814}}]}\n")
  }

  /// Addresses have no sum.
  @Test func pointersOfSeveralCPUsAreListed() throws {
    let rows = "  0 0xfffffffffffffff0\n  1 0xfffffffffffffff0\n"
    #expect(try sample("pointers=table") == "pointers\nCPU              VALUE\n\(rows)")
  }

  /// Also those whose zero has a name.
  @Test func recordsThatHoldNothingAreLeftOut() throws {
    #expect(
      try sample("paints=table") == """
        paints
        KEY COLOUR NAME IS_DRY PRICE NEXT CODE
          1 BLUE        false    0.0  0x0 ab000000000000000000000000000000

        """)
  }

  @Test func bytesWithoutAType() throws {
    #expect(try sample("bytes=table") == "bytes\nKEY  VALUE\n00ff 80612200\n")
    #expect(try sample("bytes=table", "-f", "csv") == "map,key,value\nbytes,00ff,80612200\n")
    #expect(try sample("bytes=table", "-f", "json").contains("[{\"key\":[\"00ff\"],\"value\":\"80612200\"}]"))
  }

  @Test func labelsOfHistograms() throws {
    #expect(
      try sample("hists=log2") == """
        hists = 18446744073709551615, 18446744073709551614
        value  : count  distribution
        2 -> 3 :     3  |****************************************|

        """)
    let json = try JSON(String(try sample("hists=log2", "-f", "json").dropLast()))["data"]?.list?.first
    #expect(try json?["address"] == JSON("18446744073709551614"))
  }

  @Test func countsBelowZeroAreNamed() throws {
    let run = try Self.bench.get().run(options: ["--sample", "odd_slots=log2,60000"], command: "getppid 1")
    #expect(run.status == 1 && run.errors.contains("odd_slots: slot 2: expected a count, got -1"), "\(run.errors)")
  }

  @Test func variables() throws {
    #expect(try sample("total=table") == "total\n               VALUE\n18446744073709551609\n")
  }
}
