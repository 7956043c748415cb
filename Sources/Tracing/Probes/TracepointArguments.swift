import BPFAssembly
import BTF
import KernelLoader
import ProbeCompiler
import Support

/// Turns a tracepoint's fields into arguments.
///
/// Left out is what is neither number, pointer nor text: structs, bit sets and lists whose length varies.
struct TracepointArguments {
  let format: TracepointFormat
  /// The fields are what a process passes to a system call: pointers lead into its memory, and all have 8 bytes.
  let isSystemCall: Bool

  /// Programs may not read what stands before this offset (the kernel's `tp_prog_is_valid_access`).
  private static let firstReadable: Int32 = 8

  func arguments() throws(MoontraceError) -> [ProbeContext.Argument] {
    var arguments: [ProbeContext.Argument] = []
    for field in format.fields where field.offset >= Self.firstReadable {
      if let argument = try argument(field) { arguments.append(argument) }
    }
    return arguments
  }

  /// `arg0` …: the words of a field that is a list of them, as the arguments of raw_syscalls:sys_enter.
  func positional() -> [ProbeContext.Argument.Source] {
    guard let list = format.fields.first(where: { $0.elementSize == 8 }), let count = list.count else { return [] }
    return (0..<Int32(count)).map { .word(offset: list.offset + 8 * $0, width: .double, signed: list.isSigned) }
  }

  private func argument(_ field: TracepointFormat.Field) throws(MoontraceError) -> ProbeContext.Argument? {
    if field.type.hasPrefix("__data_loc") {
      guard field.isList(of: ["char", "u8", "__u8", "unsigned char", "uint8_t"]) else { return nil }
      return .init(name: field.name, source: .location(offset: field.offset), type: .text)
    }
    if field.type.hasPrefix("__rel_loc") { return nil }
    if field.count != nil {
      guard field.elementSize == 1 else { return nil }
      return .init(name: field.name, source: .bytes(offset: field.offset, size: field.size), type: .text)
    }
    guard [1, 2, 4, 8].contains(field.size), field.offset % field.size == 0 else { return nil }
    let (width, signed) = try form(of: field)
    return .init(
      name: field.name, source: .word(offset: field.offset, width: width, signed: signed), type: try type(of: field))
  }

  private func type(of field: TracepointFormat.Field) throws(MoontraceError) -> ProbeContext.ArgumentType {
    guard field.isPointer else {
      if field.type.hasPrefix("enum ") { return .spelledEnumeration(field.type) }
      return field.type == "bool" || field.type == "_Bool" ? .boolean : .integer
    }
    return isSystemCall ? .userPointer(to: field.type) : .kernelPointer(try KernelPointee.find(field.type))
  }

  /// The registers of a system call have 8 bytes, of which it looks at no more than its parameter's type says.
  private func form(of field: TracepointFormat.Field) throws(MoontraceError) -> (Width, signed: Bool) {
    let whole = (Width(bytes: Int(field.size)), field.isSigned)
    guard isSystemCall, field.size == 8, !field.isPointer else { return whole }
    return CTypes.form(of: field.type) ?? whole
  }
}

extension TracepointFormat.Field {
  fileprivate var isPointer: Bool { type.contains("*") }

  /// Bytes of an array's element. A length in words of the source is taken for one of single bytes.
  fileprivate var elementSize: Int32 {
    guard let count, count > 0 else { return CTypes.isByte(type) ? 1 : 0 }
    return size / Int32(clamping: count)
  }

  /// Whether it is `__data_loc TYPE[]` with one of these element types.
  fileprivate func isList(of types: [String]) -> Bool {
    types.contains { type == "__data_loc \($0)[]" }
  }
}
