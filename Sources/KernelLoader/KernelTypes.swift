import BTF
import Support
import Synchronization

/// The running kernel's own types, read once a process when first asked for.
public enum KernelTypes {
  static let path = "/sys/kernel/btf/vmlinux"
  private static let loaded = Mutex<TypeGraph?>(nil)
  private static let modules = Mutex<[String: TypeGraph]>([:])

  /// The kernel's types. Throws `.unsupported` when the kernel has none.
  public static func graph() throws(MoontraceError) -> TypeGraph {
    if let graph = loaded.withLock({ $0 }) { return graph }
    let blob: [UInt8]
    do throws(SystemError) {
      blob = try readFile(path)
    } catch {
      throw MoontraceError(
        .unsupported, "this kernel has no BTF type information (\(error))",
        remedy: "use a kernel with CONFIG_DEBUG_INFO_BTF")
    }
    let graph = try TypeGraph(blob: blob, name: "kernel")
    loaded.withLock { $0 = graph }
    return graph
  }

  /// The types of a loaded kernel module, which continue the kernel's; read once. Throws `.unsupported` when it has none.
  public static func module(_ name: String) throws(MoontraceError) -> TypeGraph {
    if let graph = modules.withLock({ $0[name] }) { return graph }
    let blob: [UInt8]
    do throws(SystemError) {
      blob = try readFile("/sys/kernel/btf/\(name)")
    } catch {
      throw MoontraceError(
        .unsupported, "the kernel module \(name) has no BTF type information (\(error))",
        remedy: "use a kernel with CONFIG_DEBUG_INFO_BTF_MODULES")
    }
    let graph = try TypeGraph(blob: blob, name: name, base: try graph())
    modules.withLock { $0[name] = graph }
    return graph
  }

  /// The loaded modules that have types.
  static func moduleNames() -> [String] {
    directoryEntries("/sys/kernel/btf").filter { $0 != "vmlinux" }
  }

  /// Lets go of the types, once nothing more will be compiled or explained.
  public static func release() {
    loaded.withLock { $0 = nil }
    modules.withLock { $0 = [:] }
  }
}
