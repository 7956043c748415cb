import BPFAssembly
import CLibbpf
import Glibc
import KernelLoader
import ProbeCompiler
import Support
import Testing

@testable import Tracing

@_silgen_name("gettid") private func threadNumber() -> Int32

/// The calling thread's number: programs in tests look at this thread only, because other tests run beside it.
func thisThread() -> Int32 { threadNumber() }

/// A program that stores what it reads through a context in memory that the test sees.
final class Recorder {
  static let textSize = 64
  private let seen: MappedValue
  private let object: BPFObject
  private let ids: [UInt32]
  private(set) var attachments: [BPFObject.ProbeAttachment] = []

  /// Loads and attaches it.
  ///
  /// - Parameter thread: the only one whose runs count; nil for all.
  init(
    _ sites: [ProbeSite], reading sources: (ProbeContext) -> [ProbeContext.Argument.Source],
    thread: Int32? = thisThread(), pid: Int32? = nil
  ) throws {
    let seen = try MappedValue(name: "seen", size: 8 + Self.textSize * 8)
    let programs = try sites.map { site in
      ProbeProgram(
        targets: site.targets, spec: site.context.spec,
        program: try Self.program(reading: sources(site.context), thread: thread), descriptor: { _ in seen.descriptor })
    }
    let object = try BPFObject(programs: programs, name: "test.lua")
    try object.load()
    self.seen = seen
    self.object = object
    ids = try object.programs.map(Self.id)
    attachments = try programs.indices.map { try object.attach(probe: $0, pid: pid) }
  }

  /// For arguments of one site by name.
  convenience init(_ spec: String, _ names: [String], thread: Int32? = thisThread(), pid: Int32? = nil) throws {
    let sites = try ProbeSite.sites(of: AttachSpec(spec))
    try self.init(
      sites,
      reading: { context in
        names.compactMap { name in context.arguments.first { $0.name == name }?.source }
      }, thread: thread, pid: pid)
  }

  /// Ends it; nothing may be left in the kernel.
  func close() {
    object.close()
    #expect(ids.allSatisfy(Self.isForgotten), "programs are still in the kernel")
  }

  var runs: UInt64 { seen.counter(0) }
  var programCount: Int { object.programs.count }
  var links: [Link] { attachments.flatMap(\.links) }

  func number(_ index: Int) -> Int64 {
    Int64(bitPattern: seen.counter((8 + index * Self.textSize) / 8))
  }

  func text(_ index: Int) -> String {
    let start = 8 + index * Self.textSize
    return String(decoding: seen.bytes[start..<start + Self.textSize].prefix { $0 != 0 }, as: UTF8.self)
  }

  private static func id(of program: BPFProgram) throws -> UInt32 {
    var info = bpf_prog_info()
    var length = UInt32(MemoryLayout<bpf_prog_info>.size)
    try #require(bpf_obj_get_info_by_fd(program.descriptor, &info, &length) == 0)
    return info.id
  }

  /// The kernel frees programs from a work queue, so it is asked until it has, for at most a minute.
  private static func isForgotten(_ id: UInt32) -> Bool {
    for _ in 0..<60_000 {
      let descriptor = bpf_prog_get_fd_by_id(id)
      if descriptor < 0 { return true }
      Glibc.close(descriptor)
      usleep(1000)
    }
    return false
  }
}

// How the program reads.
extension Recorder {
  private static let map = MapReference(id: 0)

  private static func program(
    reading sources: [ProbeContext.Argument.Source], thread: Int32?
  ) throws -> AssembledProgram {
    var assembler = Assembler(name: "recorder")
    let end = assembler.newLabel()
    assembler.move(.r6, .r1)
    if let thread {
      assembler.call(.getCurrentPidTgid)
      assembler.jump(if: .ne, .r0, .immediate(thread), to: end, .bits32)
    }
    for (index, source) in sources.enumerated() {
      assembler.loadMapValue(.r8, map, offset: Int32(8 + index * textSize))
      read(source, &assembler)
    }
    assembler.loadMapValue(.r8, map, offset: 0)
    assembler.loadImmediate(.r1, 1)
    assembler.atomic(.add, .r8, 0, .r1)
    assembler.bind(end)
    assembler.loadImmediate(.r0, 0)
    assembler.exit()
    return try assembler.finish()
  }

  /// Stores it at r8; r6 is the context.
  private static func read(_ source: ProbeContext.Argument.Source, _ assembler: inout Assembler) {
    switch source {
    case .word(let offset, let width, let signed):
      assembler.load(.r7, width, .r6, Int16(offset))
      if signed { extend(.r7, width, &assembler) }
      assembler.store(.double, .r8, 0, .r7)
    case .bytes(let offset, let size):
      assembler.move(.r3, .r6)
      assembler.alu(.add, .r3, .immediate(offset))
      copy(min(size, Int32(textSize)), .probeReadKernel, &assembler)
    case .location(let offset):
      assembler.load(.r3, .word, .r6, Int16(offset))
      assembler.alu(.and, .r3, 0xffff)
      assembler.alu(.add, .r3, .r6)
      copy(Int32(textSize), .probeReadKernelStr, &assembler)
    case .memory(let register, let displacement, let width, let signed):
      assembler.load(.r3, .double, .r6, Int16(register))
      assembler.alu(.add, .r3, .immediate(displacement))
      copy(Int32(width.bytes), .probeReadUser, &assembler)
      assembler.load(.r7, width, .r8, 0)
      if signed { extend(.r7, width, &assembler) }
      assembler.store(.double, .r8, 0, .r7)
    case .constant(let value):
      assembler.loadImmediate(.r7, value)
      assembler.store(.double, .r8, 0, .r7)
    }
  }

  private static func copy(_ size: Int32, _ helper: Helper, _ assembler: inout Assembler) {
    assembler.move(.r1, .r8)
    assembler.loadImmediate(.r2, Int64(size))
    assembler.call(helper)
  }

  private static func extend(_ register: Register, _ width: Width, _ assembler: inout Assembler) {
    let bits = Int32(64 - 8 * width.bytes)
    if bits == 0 { return }
    assembler.alu(.lsh, register, .immediate(bits))
    assembler.alu(.arsh, register, .immediate(bits))
  }
}

/// The error that a body throws; fails the test when it throws none.
func failure(
  sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) throws -> MoontraceError {
  try #require(throws: MoontraceError.self, sourceLocation: sourceLocation, performing: body)
}
