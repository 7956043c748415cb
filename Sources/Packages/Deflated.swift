import CZlib

/// Bytes in zlib's format (RFC 1950).
enum Deflated {
  /// Deflates; the same bytes give the same result.
  static func deflate(_ bytes: [UInt8]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: Int(compressBound(uLong(bytes.count)))) { buffer, count in
      var length = uLong(buffer.count)
      // It fails only without memory or room, and the room is what compressBound asks for.
      let status = compress2(buffer.baseAddress, &length, bytes, uLong(bytes.count), Z_BEST_COMPRESSION)
      count = status == Z_OK ? Int(length) : 0
    }
  }

  /// Inflates to exactly `size` bytes; whatever the bytes say, no more than `size` + 1 are ever made.
  static func inflate(_ bytes: [UInt8], size: Int) throws(MalformedBytes) -> [UInt8] {
    // Deflate makes at most 1032 bytes of one (zlib's technical details), so that a size that lies takes no memory.
    guard size / 1032 <= bytes.count else {
      throw MalformedBytes(message: "\(bytes.count) bytes can't inflate to \(size)")
    }
    var status = Z_OK
    var used = uLong(bytes.count)
    let inflated = [UInt8](unsafeUninitializedCapacity: size + 1) { buffer, count in
      var length = uLong(size + 1)
      status = uncompress2(buffer.baseAddress, &length, bytes, &used)
      count = status == Z_OK || status == Z_BUF_ERROR ? Int(length) : 0
    }
    if inflated.count > size { throw MalformedBytes(message: "it inflates to more than \(size) bytes") }
    guard status == Z_OK else {
      throw MalformedBytes(message: "it is not in zlib's format, is damaged, or ends too early")
    }
    guard inflated.count == size else {
      throw MalformedBytes(message: "it inflates to \(inflated.count) bytes, not to \(size)")
    }
    guard used == bytes.count else {
      throw MalformedBytes(message: "bytes follow what was deflated (\(bytes.count - Int(used)))")
    }
    return inflated
  }
}

/// Why bytes or text can't be decoded, without the name of their place.
struct MalformedBytes: Error, Equatable {
  var message: String
}
