import Support

/// Where the two sections of a BTF blob lie, from its checked `struct btf_header`.
struct SectionTable {
  let types: Range<Int>
  let strings: Range<Int>

  init(_ bytes: [UInt8], name: String) throws(MoontraceError) {
    let headerSize = try readHeaderSize(bytes, name: name, format: "BTF")
    guard headerSize >= 24 else {
      throw MoontraceError(.scriptFailed, "\(name): malformed BTF: a header of \(headerSize) bytes; it takes 24")
    }
    types = try sectionRange(bytes, field: 8, headerSize: headerSize, what: "\(name): malformed BTF: the type section")
    strings = try sectionRange(
      bytes, field: 16, headerSize: headerSize, what: "\(name): malformed BTF: the string section")
  }
}

/// Checks the magic number and version that `.BTF` and `.BTF.ext` both start with; returns `hdr_len`.
func readHeaderSize(_ bytes: [UInt8], name: String, format: String) throws(MoontraceError) -> Int {
  guard bytes.count >= 24, bytes.count <= UInt32.max else {
    throw MoontraceError(.scriptFailed, "\(name): truncated \(format): \(bytes.count) bytes")
  }
  let start = bytes.littleEndianWord(at: 0)
  let magic = UInt16(truncatingIfNeeded: start)
  if magic == TypeBlob.magic.byteSwapped {
    throw MoontraceError(
      .scriptFailed, "\(name): \(format) for big-endian machines; this one is little-endian",
      remedy: "compile with -target bpfel")
  }
  guard magic == TypeBlob.magic else {
    throw MoontraceError(.scriptFailed, "\(name): not \(format): it starts with 0x\(String(magic, radix: 16))")
  }
  let version = UInt8(truncatingIfNeeded: start >> 16)
  guard version == 1 else {
    throw MoontraceError(.scriptFailed, "\(name): \(format) of version \(version); this program reads version 1")
  }
  let headerSize = Int(bytes.littleEndianWord(at: 4))
  guard headerSize <= bytes.count else {
    throw MoontraceError(
      .scriptFailed, "\(name): truncated \(format): \(bytes.count) bytes, the header alone has \(headerSize)")
  }
  return headerSize
}

/// The bytes of a section whose offset (from the header's end) and length stand at `field` of the header.
func sectionRange(_ bytes: [UInt8], field: Int, headerSize: Int, what: String) throws(MoontraceError) -> Range<Int> {
  let start = headerSize + Int(bytes.littleEndianWord(at: field))
  let end = start + Int(bytes.littleEndianWord(at: field + 4))
  guard end <= bytes.count else {
    throw MoontraceError(.scriptFailed, "\(what) ends at byte \(end), after the end of the blob at \(bytes.count)")
  }
  return start..<end
}
