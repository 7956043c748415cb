import Support

/// A data section of an object: which variables lie in it, and where.
public struct DataSection: Equatable, Sendable {
  /// `.data`, `.rodata`, `.bss`, `.maps`, `license`, …
  public var name: String
  /// Bytes. Compilers leave 0 in object files; libbpf fills it in when it opens them.
  public var size: Int
  public var variables: [Variable]

  public struct Variable: Equatable, Sendable {
    public enum Linkage: UInt32, Sendable {
      case `static` = 0
      case global = 1
      case extern = 2
    }

    public var name: String
    public var type: TypeID
    /// Bytes from the section's start. In object files those of global variables are 0 until libbpf fills them in;
    /// the ELF symbol of that name has the offset too.
    public var offset: Int
    public var size: Int
    public var linkage: Linkage

    public init(name: String, type: TypeID, offset: Int, size: Int, linkage: Linkage) {
      self.name = name
      self.type = type
      self.offset = offset
      self.size = size
      self.linkage = linkage
    }
  }

  public init(name: String, size: Int, variables: [Variable]) {
    self.name = name
    self.size = size
    self.variables = variables
  }
}

extension TypeGraph {
  /// The blob's own data sections, in its order; a base's are not among them.
  public var dataSections: [DataSection] {
    get throws(MoontraceError) {
      var sections: [DataSection] = []
      for id in firstID..<endID {
        guard let record = record(id), record.kind == .dataSection else { continue }
        sections.append(try dataSection(record))
      }
      return sections
    }
  }

  private func dataSection(_ record: TypeRecord) throws(MoontraceError) -> DataSection {
    var variables: [DataSection.Variable] = []
    for index in 0..<record.count {
      variables.append(try variable(record, at: 3 * index))
    }
    return DataSection(name: text(at: record.nameOffset), size: Int(record.sizeOrType), variables: variables)
  }

  /// Reads one `struct btf_var_secinfo`.
  private func variable(_ section: TypeRecord, at word: Int) throws(MoontraceError) -> DataSection.Variable {
    let id = section.word(word)
    if let function = record(id), function.kind == .function {
      // `.ksyms` lists the kernel functions that an object calls beside its variables.
      return DataSection.Variable(
        name: text(at: function.nameOffset), type: function.sizeOrType, offset: Int(section.word(word + 1)),
        size: Int(section.word(word + 2)), linkage: .extern)
    }
    guard let variable = record(id), variable.kind == .variable else {
      throw failure("malformed BTF: \(describe(section.id)) lists \(describe(id)), which is no variable")
    }
    guard let linkage = DataSection.Variable.Linkage(rawValue: variable.word(0)) else {
      throw failure("malformed BTF: \(describe(id)) has unknown linkage \(variable.word(0))")
    }
    return DataSection.Variable(
      name: text(at: variable.nameOffset), type: variable.sizeOrType, offset: Int(section.word(word + 1)),
      size: Int(section.word(word + 2)), linkage: linkage)
  }
}
