import CLibbpf

/// Declarations of the functions that the kernel lets BPF programs call (kfuncs), as bpftool writes them into `vmlinux.h`.
///
/// Kernels since 6.10 mark them in their BTF with the tag `bpf_kfunc`. A program that declares one in another way defines
/// BPF_NO_KFUNC_PROTOTYPES.
enum KernelFunctionPrototypes {
  private static let opening = """

    #ifndef BPF_NO_KFUNC_PROTOTYPES
    #ifndef __ksym
    #define __ksym __attribute__((section(".ksyms")))
    #endif
    #ifndef __weak
    #define __weak __attribute__((weak))
    #endif


    """

  /// - Parameters:
  ///   - dump: what prints the types; it has printed all of them.
  ///   - write: takes the text between that.
  static func dump(
    _ types: OpaquePointer, _ dump: OpaquePointer, _ write: (String) -> Void
  ) throws(KernelFailure) {
    let functions = functions(types)
    if functions.isEmpty { return }
    write(opening)
    for function in functions {
      write("extern ")
      try checkLibbpf {
        var options = btf_dump_emit_type_decl_opts()
        options.sz = optionsSize(upTo: \btf_dump_emit_type_decl_opts.strip_mods)
        options.field_name = function.name
        return btf_dump__emit_type_decl(dump, function.prototype, &options)
      }
      write(" __weak __ksym;\n")
    }
    write("#endif\n")
  }

  /// The names, which live as long as the types, and the types of their prototypes.
  private static func functions(_ types: OpaquePointer) -> [(name: UnsafePointer<CChar>, prototype: UInt32)] {
    var functions: [(name: UnsafePointer<CChar>, prototype: UInt32)] = []
    var known: Set<String> = []
    for id in 1..<btf__type_cnt(types) {
      guard let tag = btf__type_by_id(types, id), btf_is_decl_tag(tag),
        let mark = btf__name_by_offset(types, tag.pointee.name_off), String(cString: mark) == "bpf_kfunc",
        let function = btf__type_by_id(types, tag.pointee.type), btf_is_func(function),
        let name = btf__name_by_offset(types, function.pointee.name_off), known.insert(String(cString: name)).inserted
      else { continue }
      functions.append((name, function.pointee.type))
    }
    return functions
  }
}
