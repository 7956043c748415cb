extension String {
  /// The text without what could drive a terminal: control characters other than the newline are `?`. Names and help of a
  /// package are anybody's.
  public var printable: String {
    String(String.UnicodeScalarView(unicodeScalars.map { $0.isControl && $0 != "\n" ? "?" : $0 }))
  }
}

extension Unicode.Scalar {
  /// C0, DEL and C1.
  fileprivate var isControl: Bool { value < 0x20 || (0x7f..<0xa0).contains(value) }
}
