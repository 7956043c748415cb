import BTF
import Glibc
import Support
import Synchronization

/// The running kernel's own types, read once a process when first asked for.
public enum KernelTypes {
  /// Where a kernel tells its types.
  public static let path = "/sys/kernel/btf/vmlinux"
  private static let loaded = Mutex<TypeGraph?>(nil)
  private static let modules = Mutex<[String: TypeGraph]>([:])

  /// The file with the running kernel's types that `BTF_FILE_PATH` names; nil where the kernel tells them itself, and where
  /// nothing is named.
  public static var foreignPath: String? {
    access(path, R_OK) == 0 ? nil : environment("BTF_FILE_PATH")
  }

  /// What to do on a kernel that tells no types.
  static let remedy = "\(ownRemedy), or name a file with this kernel's types in BTF_FILE_PATH"
  /// The same where a file does not help.
  static let ownRemedy = "use a kernel with CONFIG_DEBUG_INFO_BTF=y"

  /// The kernel's types, of its own or of the file that stands for them. Throws `.unsupported` when there are none.
  public static func graph() throws(MoontraceError) -> TypeGraph {
    if let graph = loaded.withLock({ $0 }) { return graph }
    let graph = try TypeGraph(blob: try bytes(), name: foreignPath.map { "BTF_FILE_PATH: '\($0)'" } ?? "kernel")
    loaded.withLock { $0 = graph }
    return graph
  }

  private static func bytes() throws(MoontraceError) -> [UInt8] {
    let foreign = foreignPath
    let bytes: [UInt8]
    do throws(SystemError) {
      bytes = try readFile(foreign ?? path)
    } catch {
      if let foreign {
        throw MoontraceError(.usage, "BTF_FILE_PATH: can't read '\(foreign)': \(errnoText(error.errno))")
      }
      throw MoontraceError(.unsupported, "this kernel has no BTF type information (\(error))", remedy: remedy)
    }
    guard let foreign, bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46]) else { return bytes }
    return try section(of: bytes, foreign)
  }

  /// The types in an ELF file: a vmlinux.
  private static func section(of bytes: [UInt8], _ path: String) throws(MoontraceError) -> [UInt8] {
    let image = try ELFImage(bytes: bytes, name: path)
    guard let section = image.section(".BTF") else {
      throw MoontraceError(.usage, "BTF_FILE_PATH: '\(path)' has no BTF type information")
    }
    return Array(image.contents(section))
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
