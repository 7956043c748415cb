import BPFAssembly
import BTF
import KernelLoader
import ProbeCompiler
import Support

/// What a probe hands over, as a probe function sees it.
///
/// ```swift
/// let open = try ProbeSignature("tracepoint:syscalls:sys_enter_openat")
/// open.values  // args.dfd int32, args.filename const char * (user), …
/// ```
public struct ProbeSignature: Sendable {
  public struct Value: Equatable, Sendable {
    /// As Lua names it: `args.filename`, `arg0`, `retval`.
    public var name: String
    /// `int32`, `uint64`, `boolean`, `text`, `struct sock *`, `const char * (user)`, `enum skb_drop_reason`.
    public var type: String
  }

  public let values: [Value]

  /// Finds out what a SPEC without `*` hands over, whether this kernel can attach to it or not.
  ///
  /// - Throws: `.unsupported` or `.usage` when there is no such place.
  public init(_ spec: String) throws(MoontraceError) {
    self = try ProbeSignatures().signature(of: spec)
  }

  /// The text of a function's first site: the sites of a USDT probe differ only in where arguments stand.
  fileprivate init(_ context: ProbeContext) {
    let types = context.moduleTypes ?? (try? KernelTypes.graph())
    var values = context.arguments.map { Value(name: Self.member($0.name), type: Self.type(of: $0, types)) }
    values += context.positional.enumerated().map { index, source in
      Value(name: "arg\(index)", type: Self.integer(source))
    }
    if let result = context.result { values.append(Value(name: "retval", type: Self.type(of: result, types))) }
    self.values = values
  }

  /// Keywords of Lua's have to be quoted.
  private static func member(_ name: String) -> String {
    LuaToken.keywords.contains(name) ? "args[\"\(name)\"]" : "args.\(name)"
  }

  private static func type(of argument: ProbeContext.Argument, _ types: TypeGraph?) -> String {
    switch argument.type {
    case .integer: integer(argument.source)
    case .boolean: "boolean"
    case .text: "text"
    case .spelledEnumeration(let spelling): spelling
    case .enumeration(let type): types?.spelling(of: type) ?? "enum"
    case .kernelPointer(let type): type == 0 ? "void *" : "\(types?.spelling(of: type) ?? "void") *"
    case .userPointer(let spelling): "\(spelling.isEmpty ? "void *" : spelling) (user)"
    }
  }

  private static func integer(_ source: ProbeContext.Argument.Source) -> String {
    switch source {
    case .word(_, let width, let signed), .memory(_, _, let width, let signed):
      "\(signed ? "" : "u")int\(8 * width.bytes)"
    case .constant: "integer"
    case .bytes, .location: "text"
    }
  }
}

/// Signatures of many probes, for which the kernel's functions are looked up by name once.
public struct ProbeSignatures {
  private let functions: [String: TypeID]?

  /// - Parameter count: of how many probes signatures will be asked.
  public init(count: Int = 1) {
    functions = count > 16 ? (try? KernelTypes.graph())?.index(of: .function) : nil
  }

  /// - Throws: `.unsupported` or `.usage` when there is no such place.
  public func signature(of spec: String) throws(MoontraceError) -> ProbeSignature {
    let sites = try ProbeSiteBuilder(spec: try AttachSpec(spec), functions: functions).sites()
    guard let site = sites.first else { throw MoontraceError(.unsupported, "'\(spec)' has no place") }
    return ProbeSignature(site.context)
  }
}
