import BPFAssembly

/// What operations on constants give, exactly as the kernel calculates them.
enum Arithmetic {
  static func binary(_ operation: ALU, _ left: Int64, _ right: Int64) -> Int64 {
    let (first, second) = (UInt64(bitPattern: left), UInt64(bitPattern: right))
    return switch operation {
    case .add: left &+ right
    case .sub: left &- right
    case .mul: left &* right
    case .div: second == 0 ? 0 : Int64(bitPattern: first / second)
    case .mod: second == 0 ? left : Int64(bitPattern: first % second)
    case .or: left | right
    case .and: left & right
    case .xor: left ^ right
    case .lsh: left &<< right
    case .rsh: Int64(bitPattern: first &>> second)
    case .arsh: left &>> right
    case .mov: right
    }
  }

  static func extend(_ value: Int64, _ width: Width, signed: Bool) -> Int64 {
    let unused = Int64(64 - width.bytes * 8)
    let high = value &<< unused
    return signed ? high &>> unused : Int64(bitPattern: UInt64(bitPattern: high) &>> UInt64(unused))
  }

  static func swapBytes(_ value: Int64, _ width: Width) -> Int64 {
    if width == .byte { return value & 0xff }
    return Int64(bitPattern: UInt64(bitPattern: value).byteSwapped &>> UInt64(64 - width.bytes * 8))
  }

  static func holds(_ condition: Condition, _ left: Int64, _ right: Int64) -> Bool {
    let (first, second) = (UInt64(bitPattern: left), UInt64(bitPattern: right))
    return switch condition {
    case .eq: left == right
    case .ne: left != right
    case .gt: first > second
    case .ge: first >= second
    case .lt: first < second
    case .le: first <= second
    case .sgt: left > right
    case .sge: left >= right
    case .slt: left < right
    case .sle: left <= right
    case .set: left & right != 0
    }
  }
}
