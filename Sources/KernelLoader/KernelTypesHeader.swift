import BTF
import CLibbpf
import Glibc
import Support

/// The C header that BPF programs include as `vmlinux.h`: every type of the running kernel, and the functions that it lets
/// programs call.
public enum KernelTypesHeader {
  /// Makes the header's text from the kernel's BTF (about 3 MB, a tenth of a second).
  ///
  /// Field accesses through its types are relocated at load (`preserve_access_index`), so that objects compiled with
  /// it run on other kernels.
  /// - Throws: `.unsupported` when the kernel has no BTF.
  public static func make() throws(MoontraceError) -> [UInt8] {
    let types: OpaquePointer
    do throws(KernelFailure) {
      types = try checkLibbpf { btf__load_vmlinux_btf() }
    } catch {
      throw MoontraceError(
        .unsupported, "vmlinux.h can't be made: this kernel has no BTF type information",
        remedy: "name a file with its types in BTF_FILE_PATH, or build elsewhere", detail: error.detail)
    }
    return try text(of: types)
  }

  /// Makes the header from a file: another kernel's BTF by itself, or an ELF file that holds it.
  /// - Throws: `.scriptFailed` when the file is neither.
  public static func make(fromBTF path: String) throws(MoontraceError) -> [UInt8] {
    let types: OpaquePointer
    do throws(KernelFailure) {
      types = try checkLibbpf { btf__parse(path, nil) }
    } catch {
      throw MoontraceError(
        .scriptFailed, "\(path): its BTF type information can't be read: \(error.text)", detail: error.detail)
    }
    return try text(of: types)
  }

  /// The header of types, which are freed.
  private static func text(of types: OpaquePointer) throws(MoontraceError) -> [UInt8] {
    defer { btf__free(types) }
    let text = HeaderText()
    text.append(opening)
    try dump(types, into: text)
    text.append(closing)
    return text.bytes
  }

  private static let opening = """
    #ifndef __VMLINUX_H__
    #define __VMLINUX_H__

    #ifndef BPF_NO_PRESERVE_ACCESS_INDEX
    #pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)
    #endif


    """

  private static let closing = """

    #ifndef BPF_NO_PRESERVE_ACCESS_INDEX
    #pragma clang attribute pop
    #endif

    #endif /* __VMLINUX_H__ */

    """

  private static func dump(_ types: OpaquePointer, into text: HeaderText) throws(MoontraceError) {
    do throws(KernelFailure) {
      let context = Unmanaged.passUnretained(text).toOpaque()
      let dump = try checkLibbpf {
        btf_dump__new(
          types,
          { context, format, arguments in
            guard let context, let format, let arguments else { return }
            Unmanaged<HeaderText>.fromOpaque(context).takeUnretainedValue().append(format, arguments)
          }, context, nil)
      }
      defer { btf_dump__free(dump) }
      for id in 1..<btf__type_cnt(types) {
        try checkLibbpf { btf_dump__dump_type(dump, id) }
      }
      try KernelFunctionPrototypes.dump(types, dump) { text.append($0) }
    } catch {
      throw error.error("vmlinux.h")
    }
  }
}

/// Gathers what libbpf prints.
private final class HeaderText {
  private(set) var bytes: [UInt8] = []

  func append(_ text: String) {
    bytes.append(contentsOf: text.utf8)
  }

  func append(_ format: UnsafePointer<CChar>, _ arguments: CVaListPointer) {
    guard let text = mt_format(format, arguments) else { return }
    defer { free(text) }
    text.withMemoryRebound(to: UInt8.self, capacity: strlen(text)) {
      bytes.append(contentsOf: UnsafeBufferPointer(start: $0, count: strlen(text)))
    }
  }
}
