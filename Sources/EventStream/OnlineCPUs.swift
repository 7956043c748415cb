import Support

/// The CPUs that are online now.
func onlineCPUs() throws(MoontraceError) -> [Int32] {
  let path = "/sys/devices/system/cpu/online"
  let bytes: [UInt8]
  do throws(SystemError) {
    bytes = try readFile(path)
  } catch {
    throw MoontraceError(error.call, error.errno)
  }
  let text = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
  guard let cpus = parseCPUList(text) else {
    throw MoontraceError(.unsupported, "\(path): '\(text)' is not a list of CPUs")
  }
  return cpus
}

/// Reads the kernel's list form, such as `0-3,8`; nil when it is something else.
func parseCPUList(_ text: String) -> [Int32]? {
  var cpus: [Int32] = []
  for part in text.split(separator: ",", omittingEmptySubsequences: false) {
    let ends = part.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map { Int32($0) }
    guard let first = ends.first ?? nil, let last = ends.last ?? nil, 0 <= first, first <= last else { return nil }
    cpus += first...last
  }
  return cpus
}
