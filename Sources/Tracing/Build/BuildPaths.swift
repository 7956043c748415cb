import Glibc

/// A path from the root, with symbolic links as they are.
func absolutePath(_ path: String) -> String {
  guard !path.hasPrefix("/"), let directory = getcwd(nil, 0) else { return path }
  defer { free(directory) }
  return "\(String(cString: directory))/\(path)"
}

/// Whether two paths lead to one file.
func isSameFile(_ one: String, _ other: String) -> Bool {
  var (first, second) = (stat(), stat())
  return stat(one, &first) == 0 && stat(other, &second) == 0 && first.st_ino == second.st_ino
    && first.st_dev == second.st_dev
}

/// A compiler's text without the sequences that colour it (ECMA-48 §5.4).
public func withoutColors(_ text: some Collection<UInt8>) -> String {
  var plain: [UInt8] = []
  var rest = text[...]
  while let byte = rest.popFirst() {
    guard byte == 0x1b, rest.first == UInt8(ascii: "[") else {
      plain.append(byte)
      continue
    }
    rest = rest.drop { !(0x40...0x7e).contains($0) || $0 == UInt8(ascii: "[") }.dropFirst()
  }
  return String(decoding: plain, as: UTF8.self)
}
