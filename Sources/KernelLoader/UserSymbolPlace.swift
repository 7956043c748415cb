import Support

/// Where functions of an ELF file lie in the file, as uprobes need it.
struct UserSymbolPlace {
  private let image: ELFImage
  private let path: String

  init(path: String) throws(MoontraceError) {
    self.path = path
    image = try ELFImage(ofProbed: path)
  }

  /// Bytes from the file's start to the function's first instruction.
  ///
  /// - Throws: `.usage` with a suggestion when the file has no such function.
  func fileOffset(of name: String) throws(MoontraceError) -> UInt64 {
    let functions = functions()
    if let function = functions.first(where: { $0.name == name }), let offset = fileOffset(function) { return offset }
    if functions.isEmpty {
      throw MoontraceError(
        .usage, "\(path) has no symbols (it is stripped), so '\(name)' can't be found",
        remedy: "give an offset: \(path):0xOFFSET")
    }
    throw MoontraceError(
      .usage, "\(path) has no function '\(name)'\(suggestionHint(for: name, in: functions.lazy.map(\.name)))")
  }

  /// Defined functions (type 2) and the resolvers of indirect ones (type 10), of both symbol tables.
  private func functions() -> [ELFImage.Symbol] {
    (image.symbols() + image.symbols(ofType: 11)).filter { ($0.type == 2 || $0.type == 10) && $0.section != 0 }
  }

  private func fileOffset(_ symbol: ELFImage.Symbol) -> UInt64? {
    guard image.sections.indices.contains(symbol.section) else { return nil }
    let section = image.sections[symbol.section]
    guard symbol.value >= section.address, symbol.value - section.address < UInt64(section.size) else { return nil }
    return symbol.value - section.address + UInt64(section.offset)
  }
}

extension ELFImage {
  /// Reads an executable or library that a SPEC names; what is wrong with it is the SPEC's fault, `.usage`.
  init(ofProbed path: String) throws(MoontraceError) {
    let bytes: [UInt8]
    do throws(SystemError) {
      bytes = try readFile(path)
    } catch {
      throw MoontraceError(.usage, "can't read \(path): \(error)")
    }
    do throws(MoontraceError) {
      self = try ELFImage(bytes: bytes, name: path)
    } catch {
      throw MoontraceError(.usage, error.message)
    }
  }
}
