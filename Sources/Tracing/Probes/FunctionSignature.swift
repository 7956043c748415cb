import BPFAssembly
import BTF
import ProbeCompiler

/// A kernel function's parameters and result as a program reads them.
struct FunctionSignature {
  /// A value of a BTF type.
  struct Value {
    let name: String
    /// nil for what is no number and no pointer: a struct passed by value.
    let type: ProbeContext.ArgumentType?
    let width: Width
    let isSigned: Bool
    /// 8-byte slots of a trampoline's context.
    let slots: Int
    /// Whether the verifier takes it from a context that it knows the types of.
    let isReadable: Bool
  }

  private(set) var parameters: [Value]
  /// nil for void.
  let result: Value?
  private let isVariadic: Bool

  /// nil when the type is no function.
  init?(_ function: TypeID, in types: TypeGraph) {
    guard let prototype = types.prototype(of: function) else { return nil }
    parameters = prototype.parameters.map { Value(name: $0.name, $0.type, types) }
    isVariadic = prototype.isVariadic
    result = prototype.result == 0 ? nil : Value(name: "retval", prototype.result, types)
  }

  func dropFirst() -> FunctionSignature {
    var signature = self
    signature.parameters = Array(parameters.dropFirst())
    return signature
  }

  /// Whether a BPF trampoline can stand before it (`btf_distill_func_proto` in the kernel's kernel/bpf/btf.c): at most
  /// 12 arguments of no more than two slots each, and no struct as the result.
  var isTraceable: Bool {
    !isVariadic && parameters.count <= 12 && parameters.allSatisfy { $0.slots <= 2 }
      && result.map { $0.type != nil } ?? true
  }

  /// Slots before that of the result.
  var slotCount: Int { parameters.reduce(0) { $0 + $1.slots } }

  /// The arguments in a context of 8-byte slots.
  ///
  /// - Parameter isTyped: whether the verifier knows the slots' types, and then refuses to read pointers of some types.
  func slotArguments(isTyped: Bool) -> [ProbeContext.Argument] {
    var offset: Int32 = 0
    return parameters.compactMap { parameter in
      defer { offset += Int32(8 * parameter.slots) }
      return isTyped && !parameter.isReadable ? nil : parameter.argument(at: offset)
    }
  }

  /// The slots as plain words; they end before the first that can't be read as one.
  func slots() -> [ProbeContext.Argument.Source] {
    parameters.prefix { $0.slots == 1 && $0.isReadable }.indices.map { index in
      let parameter = parameters[index]
      return .word(
        offset: Int32(8 * index), width: parameter.width, signed: parameter.isSigned)
    }
  }

  /// The arguments in registers; structs passed by value take a number of them that only the compiler knew.
  func registerArguments() -> [ProbeContext.Argument] {
    let plain = parameters.prefix { $0.type != nil }
    return zip(plain, Registers.arguments).compactMap { $0.argument(at: $1) }
  }

  func result(at offset: Int32) -> ProbeContext.Argument? {
    result?.argument(at: offset)
  }
}

extension FunctionSignature.Value {
  fileprivate init(name: String, _ id: TypeID, _ types: TypeGraph) {
    self.name = name
    if let target = types.pointee(of: id) {
      type =
        types.isUserMemory(target)
        ? .userPointer(to: types.spelling(of: target) + " *") : .kernelPointer(types.resolve(target))
      (width, isSigned, slots) = (.double, false, 1)
      isReadable = [.struct, .union, .void, .integer].contains(types.kind(of: types.resolve(target)))
      return
    }
    isReadable = true
    let layout = try? types.layout(of: id)
    slots = max(1, ((layout?.size ?? 8) + 7) / 8)
    switch layout {
    case .integer(let size, let signed): (type, width, isSigned) = (.integer, Width(bytes: size), signed)
    case .enumeration(let size, let signed, _):
      (type, width, isSigned) = (.enumeration(types.resolve(id)), Width(bytes: size), signed)
    case .boolean(let size): (type, width, isSigned) = (.boolean, Width(bytes: size), false)
    case .text(count: 1): (type, width, isSigned) = (.integer, .byte, true)
    default: (type, width, isSigned) = (nil, .double, false)
    }
  }

  fileprivate func argument(at offset: Int32) -> ProbeContext.Argument? {
    guard let type, !name.isEmpty else { return nil }
    return .init(name: name, source: .word(offset: offset, width: width, signed: isSigned), type: type)
  }
}

extension Width {
  /// The width of so many bytes; a double for sizes that none has.
  init(bytes: Int) {
    self = Width.allCases.first { $0.bytes == bytes } ?? .double
  }
}

extension TypeGraph {
  /// Whether a pointer to this type is marked as one into user memory (`__user`), which kernels built by clang tell.
  fileprivate func isUserMemory(_ id: TypeID) -> Bool {
    kind(of: id) == .typeTag && name(of: id) == "user"
  }
}
