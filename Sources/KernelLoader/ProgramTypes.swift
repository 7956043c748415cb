import CLibbpf
import Glibc
import Support

/// The BTF that tells the kernel about the functions and source lines of programs made in this process.
///
/// The kernel takes callbacks (`bpf_loop`) only from programs whose functions have types, and shows the lines in the
/// verifier's log. Source of the format: the kernel's Documentation/bpf/btf.rst.
final class ProgramTypes {
  private let types: OpaquePointer
  private let program: Int32
  private let subprogram: Int32

  init() throws(MoontraceError) {
    do throws(KernelFailure) {
      types = try checkLibbpf { btf__new_empty() }
    } catch {
      throw error.error("BTF")
    }
    let long = btf__add_int(types, "long", 8, BTF_INT_SIGNED)
    let pointer = btf__add_ptr(types, 0)
    subprogram = btf__add_func_proto(types, long)
    program = btf__add_func_proto(types, long)
    btf__add_func_param(types, "context", pointer)
  }

  deinit {
    btf__free(types)
  }

  /// The type of a program's function at an entry: its first is the program, the others are its own (static).
  func function(_ name: String, at entry: Int) -> UInt32 {
    let linkage = entry == 0 ? BTF_FUNC_GLOBAL : BTF_FUNC_STATIC
    let number = btf__add_func(
      types, entry == 0 ? name : "\(name)_\(entry)", linkage, entry == 0 ? program : subprogram)
    return UInt32(max(number, 0))
  }

  /// Where a text stands among the BTF's strings.
  func text(_ text: String) -> UInt32 {
    UInt32(max(btf__add_str(types, text), 0))
  }

  /// Gives it to the kernel; the descriptor is this object's.
  func load() throws(KernelFailure) -> Int32 {
    let types = self.types
    if btf__fd(types) < 0 { try checkLibbpf { btf__load_into_kernel(types) } }
    return btf__fd(types)
  }
}
