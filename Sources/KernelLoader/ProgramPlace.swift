import Support

/// Where a program's code lies in its object file.
struct ProgramPlace {
  let section: String
  /// The first instruction's index in the section.
  let instruction: Int

  /// The places of all functions by name, from the symbol table (symbol type 2 is a function).
  static func all(in image: ELFImage) -> [String: ProgramPlace] {
    var places: [String: ProgramPlace] = [:]
    for symbol in image.symbols() where symbol.type == 2 && image.sections.indices.contains(symbol.section) {
      places[symbol.name] = ProgramPlace(
        section: image.sections[symbol.section].name, instruction: Int(clamping: symbol.value / 8))
    }
    return places
  }
}
