import BPFAssembly
import Testing

/// An instruction as clang's assembler spells it, the bytes that it makes of it (clang 21, `-target bpf -mcpu=v3`),
/// and how the kernel spells them.
struct Golden: Sendable, CustomTestStringConvertible {
  var bytes: String
  var clang: String
  var kernel: String
  var assemble: @Sendable (inout Assembler) -> Void
  var testDescription: String { clang }

  init(
    _ bytes: String, _ clang: String, kernel: String? = nil, assemble: @escaping @Sendable (inout Assembler) -> Void
  ) {
    self.bytes = bytes
    self.clang = clang
    self.kernel = kernel ?? clang
    self.assemble = assemble
  }

  /// One of every kind.
  static let all: [Golden] = [
    Golden("0f21000000000000", "r1 += r2") { $0.alu(.add, .r1, .r2) },
    Golden("1703000007000000", "r3 -= 7") { $0.alu(.sub, .r3, 7) },
    Golden("2c54000000000000", "w4 *= w5") { $0.alu(.mul, .r4, .r5, .bits32) },
    Golden("3406000009000000", "w6 /= 9") { $0.alu(.div, .r6, 9, .bits32) },
    Golden("4f87000000000000", "r7 |= r8") { $0.alu(.or, .r7, .r8) },
    Golden("57090000f0ffffff", "r9 &= -16") { $0.alu(.and, .r9, -16) },
    Golden("6701000003000000", "r1 <<= 3") { $0.alu(.lsh, .r1, 3) },
    Golden("7f21000000000000", "r1 >>= r2") { $0.alu(.rsh, .r1, .r2) },
    Golden("9f31000000000000", "r1 %= r3") { $0.alu(.mod, .r1, .r3) },
    Golden("a4010000ff000000", "w1 ^= 255") { $0.alu(.xor, .r1, 255, .bits32) },
    Golden("bfa1000000000000", "r1 = r10") { $0.alu(.mov, .r1, .r10) },
    Golden("bc21000000000000", "w1 = w2") { $0.alu(.mov, .r1, .r2, .bits32) },
    Golden("b7000000ffffffff", "r0 = -1") { $0.alu(.mov, .r0, -1) },
    Golden("b403000005000000", "w3 = 5") { $0.alu(.mov, .r3, 5, .bits32) },
    Golden("c70200003f000000", "r2 s>>= 63") { $0.alu(.arsh, .r2, 63) },
    Golden("cc32000000000000", "w2 s>>= w3") { $0.alu(.arsh, .r2, .r3, .bits32) },
    Golden("8701000000000000", "r1 = -r1") { $0.negate(.r1) },
    Golden("8402000000000000", "w2 = -w2") { $0.negate(.r2, .bits32) },
    Golden("dc01000010000000", "r1 = be16 r1") { $0.swapBytes(.r1, to: .big, .half) },
    Golden("dc02000020000000", "r2 = be32 r2") { $0.swapBytes(.r2, to: .big, .word) },
    Golden("dc03000040000000", "r3 = be64 r3") { $0.swapBytes(.r3, to: .big, .double) },
    Golden("d404000040000000", "r4 = le64 r4") { $0.swapBytes(.r4, to: .little, .double) },
    Golden("18050000f0debc9a0000000078563412", "r5 = 0x123456789abcdef0 ll") {
      $0.loadImmediate(.r5, 0x123456789abcdef0)
    },
    Golden("7121010000000000", "r1 = *(u8 *)(r2 + 1)", kernel: "r1 = *(u8 *)(r2 +1)") { $0.load(.r1, .byte, .r2, 1) },
    Golden("6921020000000000", "r1 = *(u16 *)(r2 + 2)", kernel: "r1 = *(u16 *)(r2 +2)") { $0.load(.r1, .half, .r2, 2) },
    Golden("6121fcff00000000", "r1 = *(u32 *)(r2 - 4)", kernel: "r1 = *(u32 *)(r2 -4)") {
      $0.load(.r1, .word, .r2, -4)
    },
    Golden("79a1f8ff00000000", "r1 = *(u64 *)(r10 - 8)", kernel: "r1 = *(u64 *)(r10 -8)") {
      $0.load(.r1, .double, .r10, -8)
    },
    Golden("733affff00000000", "*(u8 *)(r10 - 1) = r3", kernel: "*(u8 *)(r10 -1) = r3") {
      $0.store(.byte, .r10, -1, .r3)
    },
    Golden("6b3afeff00000000", "*(u16 *)(r10 - 2) = r3", kernel: "*(u16 *)(r10 -2) = r3") {
      $0.store(.half, .r10, -2, .r3)
    },
    Golden("633afcff00000000", "*(u32 *)(r10 - 4) = r3", kernel: "*(u32 *)(r10 -4) = r3") {
      $0.store(.word, .r10, -4, .r3)
    },
    Golden("7b3af8ff00000000", "*(u64 *)(r10 - 8) = r3", kernel: "*(u64 *)(r10 -8) = r3") {
      $0.store(.double, .r10, -8, .r3)
    },
    Golden("db21000000000000", "lock *(u64 *)(r1 + 0) += r2", kernel: "lock *(u64 *)(r1 +0) += r2") {
      $0.atomic(.add, .r1, 0, .r2)
    },
    Golden("c321040000000000", "lock *(u32 *)(r1 + 4) += r2", kernel: "lock *(u32 *)(r1 +4) += r2") {
      $0.atomic(.add, .r1, 4, .r2, .bits32)
    },
    Golden("db21080040000000", "lock *(u64 *)(r1 + 8) |= r2", kernel: "lock *(u64 *)(r1 +8) |= r2") {
      $0.atomic(.or, .r1, 8, .r2)
    },
    Golden("db21080050000000", "lock *(u64 *)(r1 + 8) &= r2", kernel: "lock *(u64 *)(r1 +8) &= r2") {
      $0.atomic(.and, .r1, 8, .r2)
    },
    Golden("c3210800a0000000", "lock *(u32 *)(r1 + 8) ^= w2", kernel: "lock *(u32 *)(r1 +8) ^= r2") {
      $0.atomic(.xor, .r1, 8, .r2, .bits32)
    },
    Golden(
      "db31000001000000", "r3 = atomic_fetch_add((u64 *)(r1 + 0), r3)",
      kernel: "r3 = atomic64_fetch_add((u64 *)(r1 +0), r3)"
    ) {
      $0.atomic(.fetchAdd, .r1, 0, .r3)
    },
    Golden(
      "c331000041000000", "w3 = atomic_fetch_or((u32 *)(r1 + 0), w3)",
      kernel: "r3 = atomic_fetch_or((u32 *)(r1 +0), r3)"
    ) {
      $0.atomic(.fetchOr, .r1, 0, .r3, .bits32)
    },
    Golden(
      "db31000051000000", "r3 = atomic_fetch_and((u64 *)(r1 + 0), r3)",
      kernel: "r3 = atomic64_fetch_and((u64 *)(r1 +0), r3)"
    ) {
      $0.atomic(.fetchAnd, .r1, 0, .r3)
    },
    Golden(
      "db310000a1000000", "r3 = atomic_fetch_xor((u64 *)(r1 + 0), r3)",
      kernel: "r3 = atomic64_fetch_xor((u64 *)(r1 +0), r3)"
    ) {
      $0.atomic(.fetchXor, .r1, 0, .r3)
    },
    Golden("db310800e1000000", "r3 = xchg_64(r1 + 8, r3)", kernel: "r3 = atomic64_xchg((u64 *)(r1 +8), r3)") {
      $0.atomic(.exchange, .r1, 8, .r3)
    },
    Golden("c3310800e1000000", "w3 = xchg32_32(r1 + 8, w3)", kernel: "r3 = atomic_xchg((u32 *)(r1 +8), r3)") {
      $0.atomic(.exchange, .r1, 8, .r3, .bits32)
    },
    Golden(
      "db310800f1000000", "r0 = cmpxchg_64(r1 + 8, r0, r3)", kernel: "r0 = atomic64_cmpxchg((u64 *)(r1 +8), r0, r3)"
    ) {
      $0.atomic(.compareExchange, .r1, 8, .r3)
    },
    Golden(
      "c3310800f1000000", "w0 = cmpxchg32_32(r1 + 8, w0, w3)", kernel: "r0 = atomic_cmpxchg((u32 *)(r1 +8), r0, r3)"
    ) {
      $0.atomic(.compareExchange, .r1, 8, .r3, .bits32)
    },
    Golden("1501030000000000", "if r1 == 0 goto +3", kernel: "if r1 == 0x0 goto pc+3") {
      $0.jump(if: .eq, .r1, 0, by: 3)
    },
    Golden("5d21020000000000", "if r1 != r2 goto +2", kernel: "if r1 != r2 goto pc+2") {
      $0.jump(if: .ne, .r1, .r2, by: 2)
    },
    Golden("2601010005000000", "if w1 > 5 goto +1", kernel: "if w1 > 0x5 goto pc+1") {
      $0.jump(if: .gt, .r1, 5, by: 1, .bits32)
    },
    Golden("3e21000000000000", "if w1 >= w2 goto +0", kernel: "if w1 >= w2 goto pc+0") {
      $0.jump(if: .ge, .r1, .r2, by: 0, .bits32)
    },
    Golden("a501ffff08000000", "if r1 < 8 goto -1", kernel: "if r1 < 0x8 goto pc-1") {
      $0.jump(if: .lt, .r1, 8, by: -1)
    },
    Golden("bd21feff00000000", "if r1 <= r2 goto -2", kernel: "if r1 <= r2 goto pc-2") {
      $0.jump(if: .le, .r1, .r2, by: -2)
    },
    Golden("6501fdffffffffff", "if r1 s> -1 goto -3", kernel: "if r1 s> 0xffffffff goto pc-3") {
      $0.jump(if: .sgt, .r1, -1, by: -3)
    },
    Golden("7d21fcff00000000", "if r1 s>= r2 goto -4", kernel: "if r1 s>= r2 goto pc-4") {
      $0.jump(if: .sge, .r1, .r2, by: -4)
    },
    Golden("c601fbffffffffff", "if w1 s< -1 goto -5", kernel: "if w1 s< 0xffffffff goto pc-5") {
      $0.jump(if: .slt, .r1, -1, by: -5, .bits32)
    },
    Golden("d501faff06000000", "if r1 s<= 6 goto -6", kernel: "if r1 s<= 0x6 goto pc-6") {
      $0.jump(if: .sle, .r1, 6, by: -6)
    },
    Golden("0500f9ff00000000", "goto -7", kernel: "goto pc-7") { $0.jump(by: -7) },
    Golden("8500000001000000", "call 1", kernel: "call bpf_map_lookup_elem#1") { $0.call(.mapLookupElem) },
    Golden("9500000000000000", "exit") { $0.exit() },

  ]
}

extension Assembler {
  /// A jump over `distance` instructions, around which as many are laid as it needs for its target to exist.
  fileprivate mutating func jump(
    if condition: Condition, _ left: Register, _ right: Operand, by distance: Int, _ size: OperandSize = .bits64
  ) {
    around(distance) { $0.jump(if: condition, left, right, to: $1, size) }
  }

  fileprivate mutating func jump(
    if condition: Condition, _ left: Register, _ right: Register, by distance: Int, _ size: OperandSize = .bits64
  ) {
    jump(if: condition, left, .register(right), by: distance, size)
  }

  fileprivate mutating func jump(by distance: Int) {
    around(distance) { $0.jump(to: $1) }
  }

  private mutating func around(_ distance: Int, _ jump: (inout Assembler, Label) -> Void) {
    let label = newLabel()
    if distance < 0 {
      bind(label)
      for _ in 0..<(-1 - distance) { exit() }
      jump(&self, label)
    } else {
      jump(&self, label)
      for _ in 0..<distance { exit() }
      bind(label)
      exit()
    }
  }
}
