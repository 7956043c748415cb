import CLibbpf
import Glibc

/// A symbol as its source spells it: C++ (and Rust's older scheme) by the Itanium ABI, Swift by its run-time library;
/// any other as it is.
///
/// ```swift
/// sourceName(of: "_ZN4disk5flushEi")  // disk::flush(int)
/// ```
func sourceName(of symbol: String) -> String {
  if symbol.hasPrefix("_Z") {
    return adopted(mt_demangle_cxx(symbol)) ?? symbol
  }
  if symbol.hasPrefix("$s") || symbol.hasPrefix("$S") {
    return adopted(mt_demangle_swift(symbol)) ?? symbol
  }
  return symbol
}

/// The text of memory that is ours to free.
private func adopted(_ text: UnsafeMutablePointer<CChar>?) -> String? {
  guard let text else { return nil }
  defer { free(text) }
  return String(cString: text)
}
