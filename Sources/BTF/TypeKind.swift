/// What a BTF type is; raw values are those of `BTF_KIND_*` in /usr/include/linux/btf.h.
public enum TypeKind: UInt8, CaseIterable, Sendable {
  /// Id 0, and ids that no type has.
  case void = 0
  case integer
  case pointer
  case array
  case `struct`
  case union
  case `enum`
  /// A struct or union that is named but not defined here.
  case forward
  case typedef
  case volatile
  case const
  case restrict
  case function
  /// A function's parameters and result.
  case prototype
  case variable
  /// A data section (`.data`, `.rodata`, `.maps`, …) with its variables.
  case dataSection
  case float
  case declarationTag
  case typeTag
  case enum64

  /// Says the same as another type, in other words: what `TypeGraph.resolve` looks through.
  var isTransparent: Bool {
    switch self {
    case .typedef, .volatile, .const, .restrict, .typeTag: true
    default: false
    }
  }

  var isRecord: Bool { self == .struct || self == .union }

  /// Bytes that follow a type's 12-byte header when it has `count` members, names or parameters.
  func bodySize(count: Int) -> Int {
    switch self {
    case .integer, .variable, .declarationTag: 4
    case .array: 12
    case .struct, .union, .dataSection, .enum64: 12 * count
    case .enum, .prototype: 8 * count
    case .void, .pointer, .forward, .typedef, .volatile, .const, .restrict, .function, .float, .typeTag: 0
    }
  }
}

extension TypeKind: CustomStringConvertible {
  /// How error messages call it.
  public var description: String {
    switch self {
    case .void: "void"
    case .integer: "integer"
    case .pointer: "pointer"
    case .array: "array"
    case .struct: "struct"
    case .union: "union"
    case .enum, .enum64: "enum"
    case .forward: "forward declaration"
    case .typedef: "typedef"
    case .volatile: "volatile"
    case .const: "const"
    case .restrict: "restrict"
    case .function: "function"
    case .prototype: "function prototype"
    case .variable: "variable"
    case .dataSection: "data section"
    case .float: "float"
    case .declarationTag: "declaration tag"
    case .typeTag: "type tag"
    }
  }
}
