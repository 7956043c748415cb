import BPFAssembly
import KernelLoader
import ProbeCompiler
import Support

/// Reads how a USDT probe passes its arguments: `-4@%edi 8@-16(%rbp) 4@$5`.
///
/// Source of the format: systemtap's sys/sdt.h: the size in bytes, negative for signed, then an operand as the
/// assembler writes it (AT&T syntax on x86-64).
enum USDTArguments {
  /// The arguments in order, up to the first that stands where no program can look for it (an address made of two
  /// registers or of the program counter, a floating-point register).
  static func read(_ text: String) -> [ProbeContext.Argument.Source] {
    var arguments: [ProbeContext.Argument.Source] = []
    for word in text.split(separator: " ") {
      guard let argument = argument(word) else { break }
      arguments.append(argument)
    }
    return arguments
  }

  private static func argument(_ word: Substring) -> ProbeContext.Argument.Source? {
    guard let at = word.firstIndex(of: "@"), let size = Int(word[..<at]), [1, 2, 4, 8].contains(abs(size)) else {
      return nil
    }
    let (width, signed) = (Width(bytes: abs(size)), size < 0)
    let operand = word[word.index(after: at)...]
    if operand.hasPrefix("$") { return constant(operand.dropFirst(), width, signed) }
    if operand.hasPrefix("%") {
      return UserRegister(operand.dropFirst()).map { .word(offset: $0.offset, width: width, signed: signed) }
    }
    guard let open = operand.firstIndex(of: "("), operand.hasSuffix(")") else { return nil }
    let base = operand[operand.index(after: open)...].dropLast()
    guard base.hasPrefix("%"), let register = UserRegister(base.dropFirst()), register.isWhole,
      let displacement = number(operand[..<open]).flatMap({ Int32(exactly: $0) })
    else { return nil }
    return .memory(register: register.offset, displacement: displacement, width: width, signed: signed)
  }

  private static func constant(_ text: Substring, _ width: Width, _ signed: Bool) -> ProbeContext.Argument.Source? {
    guard let value = Int64(text) ?? UInt64(text).map({ Int64(bitPattern: $0) }) else { return nil }
    // Compilers write a narrow unsigned constant as they like: as -1 too.
    switch (width, signed) {
    case (.byte, true): return .constant(Int64(Int8(truncatingIfNeeded: value)))
    case (.byte, false): return .constant(Int64(UInt8(truncatingIfNeeded: value)))
    case (.half, true): return .constant(Int64(Int16(truncatingIfNeeded: value)))
    case (.half, false): return .constant(Int64(UInt16(truncatingIfNeeded: value)))
    case (.word, true): return .constant(Int64(Int32(truncatingIfNeeded: value)))
    case (.word, false): return .constant(Int64(UInt32(truncatingIfNeeded: value)))
    case (.double, _): return .constant(value)
    }
  }

  /// Empty is 0.
  private static func number(_ text: Substring) -> Int64? {
    if text.isEmpty { return 0 }
    let (sign, digits): (Int64, Substring) = text.hasPrefix("-") ? (-1, text.dropFirst()) : (1, text)
    let value = digits.hasPrefix("0x") ? Int64(digits.dropFirst(2), radix: 16) : Int64(digits)
    return value.map { sign * $0 }
  }
}

/// A register of x86-64 as the assembler names it, or a part of one.
private struct UserRegister {
  /// Bytes from the start of `struct pt_regs`.
  let offset: Int32
  /// Whether all 64 bits are meant.
  let isWhole: Bool

  /// In the order of `struct pt_regs` (asm/ptrace.h), 8 bytes each; the names of 8, 4, 2 and 1 bytes.
  private static let names: [[String]] = [
    ["r15"], ["r14"], ["r13"], ["r12"], ["rbp", "ebp", "bp", "bpl"], ["rbx", "ebx", "bx", "bl"], ["r11"], ["r10"],
    ["r9"], ["r8"], ["rax", "eax", "ax", "al"], ["rcx", "ecx", "cx", "cl"], ["rdx", "edx", "dx", "dl"],
    ["rsi", "esi", "si", "sil"], ["rdi", "edi", "di", "dil"], [], [], [], [], ["rsp", "esp", "sp", "spl"],
  ]
  /// The second bytes of registers.
  private static let seconds: [Substring: Int32] = ["bh": 41, "ah": 81, "ch": 89, "dh": 97]

  init?(_ name: Substring) {
    if let second = Self.seconds[name] {
      (offset, isWhole) = (second, false)
      return
    }
    var whole = name
    // r8d, r8w, r8b
    if name.hasPrefix("r"), name.dropFirst().first?.isNumber == true, let last = name.last, "dwb".contains(last) {
      whole = name.dropLast()
    }
    guard let index = Self.names.firstIndex(where: { $0.contains(String(whole)) }) else { return nil }
    offset = Int32(8 * index)
    isWhole = whole == name && Self.names[index].first == String(name)
  }
}
