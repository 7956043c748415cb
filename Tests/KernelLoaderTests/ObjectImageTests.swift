import BPFAssembly
import CLibbpf
import Glibc
import KernelTestSupport
import Support
import Testing

@testable import KernelLoader

/// Objects made in memory go the road of compiled ones.
@Suite struct ObjectImageTests {
  private static let nothing = Instruction.bytes(Instruction.returning(0))

  private func open(_ image: ObjectImage) throws -> BPFObject {
    try BPFObject(bytes: try image.bytes(), name: "image")
  }

  @Test func programsKeepTheirNamesSectionsAndCode() throws {
    let sections = ["raw_tp/sys_enter", "tp/sched/sched_switch", "raw_tp/sys_enter", "?perf_event", "a b:c@d", "é"]
    let programs = sections.enumerated().map { index, section in
      ObjectImage.Program(
        name: "p\(index)", section: section, code: Instruction.bytes(Instruction.returning(Int32(index))))
    }
    let object = try open(ObjectImage(programs: programs))
    for (index, section) in sections.enumerated() {
      let program = try #require(object.program("p\(index)"))
      #expect(program.section == section.drop { $0 == "?" })  // as libbpf names it
      #expect(BPFProgram.instructions(program.pointer) == Instruction.returning(Int32(index)))
    }
    #expect(object.programs.count == sections.count && object.maps.isEmpty)
    #expect(object.program("p3")?.isAutoloaded == false)
  }

  @Test func theFileIsAnObjectLikeAnyOther() throws {
    let image = ObjectImage(
      programs: [.init(name: "f", section: "xdp", code: Self.nothing)],
      maps: [.init(name: "m", type: .hash, keySize: 4, valueSize: 8, maxEntries: 16)])
    let file = try ELFImage(bytes: try image.bytes(), name: "image")
    #expect(file.machine == ELFImage.machineBPF && file.type == 1)
    #expect(file.section("license").map { Array(file.contents($0)) } == Array("GPL\0".utf8))
    #expect(file.section("xdp").map { Array(file.contents($0)) } == Self.nothing)
    #expect(file.symbols().map(\.name) == ["", "m", "f"])
    #expect(try ObjectImage(programs: []).bytes().count % 8 == 0)
  }

  /// `m[0] = 42` in the kernel, read from here.
  @Test(.requires(.root)) func programsRunAndUseMaps() throws {
    let store = [
      Instruction(code: 0x62, destination: 10, offset: -4),  // *(u32 *)(r10 - 4) = 0
      Instruction(code: 0xbf, destination: 2, source: 10),  // r2 = r10
      Instruction(code: 0x07, destination: 2, immediate: -4),  // r2 += -4
      Instruction(code: 0x18, destination: 1), Instruction(code: 0),  // r1 = map
      Instruction(code: 0x85, immediate: 1),  // r0 = bpf_map_lookup_elem(r1, r2)
      Instruction(code: 0x15, offset: 1),  // if r0 == 0 skip
      Instruction(code: 0x7a, immediate: 42),  // *(u64 *)(r0 + 0) = 42
    ]
    let code = Instruction.bytes(store + Instruction.returning(0))
    let object = try open(
      ObjectImage(
        programs: [
          .init(name: "first", section: "tp/syscalls/sys_enter_getppid", code: Self.nothing),
          .init(name: "stores", section: "tp/syscalls/sys_enter_getppid", code: code, maps: [3: "values"]),
        ],
        maps: [
          .init(name: "other", type: .ringBuffer, keySize: 0, valueSize: 0, maxEntries: 4096),
          .init(name: "values", type: .array, keySize: 4, valueSize: 8, maxEntries: 2),
        ]))
    try object.whileLoaded {
      let map = try #require(object.map("values"))
      #expect(map.type == .array && map.keySize == 4 && map.valueSize == 8 && map.maxEntries == 2)
      #expect(object.map("other")?.type == .ringBuffer)
      let link = try #require(object.program("stores")).attach()
      _ = getppid()
      link.detach()
      var (key, value) = (UInt32(0), UInt64(0))
      #expect(bpf_map_lookup_elem(map.descriptor, &key, &value) == 0 && value == 42)
    }
  }

  @Test(.requires(.root)) func theVerifiersComplaintNamesTheProgram() throws {
    let bad = Instruction.bytes([Instruction(code: 0x95)])
    let object = try open(ObjectImage(programs: [.init(name: "bad", section: "raw_tp/sys_enter", code: bad)]))
    defer { object.close() }
    let error = try failure { try object.load() }
    #expect(error.message.hasPrefix("image: program 'bad': the verifier rejects it: R0 !read_ok"))
  }

  @Test func whatCanBeNoObjectIsRefused() throws {
    let good = ObjectImage.Program(name: "good", section: "xdp", code: Self.nothing)
    func changed(_ change: (inout ObjectImage.Program) -> Void) -> ObjectImage {
      var program = good
      change(&program)
      return ObjectImage(programs: [program])
    }
    let cases: [(ObjectImage, String)] = [
      (changed { $0.name = "" }, "no name"), (changed { $0.name = "a\0b" }, "no name"),
      (ObjectImage(programs: [good, good]), "two programs or maps are called 'good'"),
      (changed { $0.section = "" }, "section ''"), (changed { $0.section = ".maps" }, "section '.maps'"),
      (changed { $0.section = "license" }, "section 'license'"),
      (changed { $0.code = [] }, "0 bytes"), (changed { $0.code.removeLast() }, "15 bytes"),
      (changed { $0.maps = [0: "m"] }, "there is no map 'm'"),
    ]
    for (image, text) in cases {
      let error = try failure { _ = try image.bytes() }
      #expect(error.code == .usage && error.message.contains(text), "\(error)")
    }
  }

  @Test(arguments: [-1, 0, 1, 2, Int.max, Int.min]) func mapsAreLoadedByWideInstructionsOnly(index: Int) throws {
    let code = [Instruction(code: 0xb7), Instruction(code: 0x18)]
    let image = ObjectImage(
      programs: [.init(name: "f", section: "xdp", code: Instruction.bytes(code), maps: [index: "m"])],
      maps: [.init(name: "m", type: .hash, keySize: 4, valueSize: 4, maxEntries: 1)])
    #expect(try failure { _ = try image.bytes() }.message.contains("instruction \(index) can't load a map"))
  }

  @Test func randomImagesAreReadAsTheyWereWritten() throws {
    let seed = UInt64.random(in: 1...UInt64.max)
    print("randomImagesAreReadAsTheyWereWritten: seed \(seed)")
    var state = seed
    func random(_ limit: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % limit
    }
    for _ in 0..<50 {
      let programs = (0..<1 + random(20)).map { index in
        let filler = [Instruction](repeating: Instruction(code: 0xb7, immediate: Int32(index)), count: random(300))
        return ObjectImage.Program(
          name: "p\(index)", section: "raw_tp/\(random(9))", code: Instruction.bytes(filler + Instruction.returning(0)))
      }
      let maps = (0..<random(20)).map { index in
        ObjectImage.Map(
          name: "m\(index)", type: .hash, keySize: UInt32(1 + random(500)), valueSize: UInt32(1 + random(5000)),
          maxEntries: UInt32(1 + random(1 << 20)))
      }
      let object = try open(ObjectImage(programs: programs, maps: maps))
      for program in programs {
        let read = try #require(object.program(program.name))
        #expect(read.section == program.section)
        #expect(Instruction.bytes(BPFProgram.instructions(read.pointer)) == program.code)
      }
      let sizes = object.maps.map { [$0.keySize, $0.valueSize, $0.maxEntries] }
      #expect(sizes == maps.map { [Int($0.keySize), Int($0.valueSize), Int($0.maxEntries)] })
    }
  }
}
