import BTF
import CEventCore
import EventStream
import Glibc
import KernelLoader

/// The columns of a C program's records: those of their type, before them the map's name where there are several
/// buffers, stacks as text, texts whose length another member says, and network addresses.
final class RecordColumns {
  private enum Naming: UInt32 {
    case label
    case kernelStack
    case userStack
    /// And so on: the members that are read in a way of their own.
    case firstMember
  }

  /// What the columns read; the columns point into it.
  private let inner: DecodePlan
  private let memory = PlanMemory()
  private let namer: UnsafeMutablePointer<mt_namer>
  private let label: UnsafePointer<CChar>
  private let labelLength: Int
  private let stacks: StackMembers?
  /// Members that read as text which their type does not give: their names, and how they read.
  private let members: [(name: String, text: (UnsafeRawBufferPointer) -> String?)]
  private let symbols: (kernel: KernelSymbols, user: UserSymbols)
  /// The record that is being printed, for the text of its stacks.
  fileprivate(set) var record: UnsafeRawBufferPointer?
  /// The last stack's text, which C reads until the next one is made.
  private var text: UnsafeMutablePointer<CChar>?
  private(set) lazy var plan = makePlan()

  /// - Parameters:
  ///   - label: the map's name; nil where there is one buffer.
  ///   - symbols: what names the addresses of stacks.
  init(
    _ record: RecordLayout, label: String?, stacks: StackMembers? = nil,
    symbols: (kernel: KernelSymbols, user: UserSymbols)
  ) {
    inner = DecodePlan(record: record)
    let text = memory.text(label ?? "")
    (self.label, labelLength) = (text.start, Int(text.length))
    self.stacks = stacks
    members =
      CountedText.all(in: record).map { ($0.name, $0.text) } + AddressMember.all(in: record).map { ($0.name, $0.text) }
    self.symbols = symbols
    hasLabel = label != nil
    namer = .allocate(capacity: 1)
    namer.initialize(to: mt_namer(text: nameColumn, context: nil))
    namer.pointee.context = Unmanaged.passUnretained(self).toOpaque()
  }

  deinit {
    namer.deallocate()
    free(text)
  }

  private let hasLabel: Bool

  // MARK: The plan

  private func makePlan() -> DecodePlan {
    let record = inner.plan.pointee
    let members = UnsafeBufferPointer(start: record.fields, count: Int(record.field_count))
    let hidden = stacks?.hidden ?? []
    var fields = members.filter { !hidden.contains(String(cString: $0.name)) }.map(shown)
    if hasLabel { fields.insert(labelField(beside: members), at: 0) }
    let plan = mt_plan(
      name: record.name, size: record.size, field_count: UInt32(fields.count), fields: memory.array(fields))
    var whole = inner.field.pointee
    whole.record = memory.array([plan])
    return DecodePlan(whole, memory: memory)
  }

  private func labelField(beside members: UnsafeBufferPointer<mt_field>) -> mt_field {
    let isTaken = members.contains { String(cString: $0.name) == "map" }
    return named(isTaken ? "map_name" : "map", Naming.label.rawValue, mt_field())
  }

  private func shown(_ field: mt_field) -> mt_field {
    let name = String(cString: field.name)
    if name == stacks?.kernel?.name { return named(name, Naming.kernelStack.rawValue, field) }
    if name == stacks?.user?.name { return named(name, Naming.userStack.rawValue, field) }
    if let index = members.firstIndex(where: { $0.name == name }) {
      return named(name, Naming.firstMember.rawValue + UInt32(index), field)
    }
    return field
  }

  /// A column of text, which stands nowhere in the record.
  private func named(_ name: String, _ naming: UInt32, _ field: mt_field) -> mt_field {
    var made = mt_field()
    let text = memory.text(name)
    made.name = text.start
    made.name_length = text.length
    made.kind = MT_NAMED
    made.naming = naming
    made.namer = UnsafePointer(namer)
    return made
  }

  // MARK: Texts

  /// The text of a column, valid until the next call; nil when there is none.
  fileprivate func column(_ number: UInt32) -> (start: UnsafePointer<CChar>, length: Int)? {
    switch Naming(rawValue: number) {
    case .label: return (label, labelLength)
    case .kernelStack: return keep(frames(stacks?.kernel) { self.symbols.kernel.place(of: $0) })
    case .userStack:
      let process = record.flatMap { stacks?.process?.number(in: $0) } ?? 0
      return keep(frames(stacks?.user) { self.symbols.user.frame(at: $0, process: process) })
    case .firstMember, nil:
      let index = Int(number) - Int(Naming.firstMember.rawValue)
      guard let record, members.indices.contains(index) else { return nil }
      return members[index].text(record).flatMap(keep)
    }
  }

  /// One frame a line.
  private func frames(_ stack: StackMembers.Stack?, _ name: (UInt64) -> String) -> String {
    guard let record, let stack else { return "" }
    let areNamed = stacks?.areNamed ?? true
    return stack.addresses(in: record).map { areNamed ? name($0) : "0x" + String($0, radix: 16) }
      .joined(separator: "\n")
  }

  private func keep(_ text: String) -> (start: UnsafePointer<CChar>, length: Int)? {
    free(self.text)
    self.text = strdup(text)
    return self.text.map { (UnsafePointer($0), strlen($0)) }
  }
}

private let nameColumn:
  @convention(c) (
    UnsafeMutableRawPointer?, UInt32, UnsafePointer<UInt64>?, UInt32, UnsafeMutablePointer<Int>?
  ) -> UnsafePointer<CChar>? = { context, number, _, _, length in
    guard let context else { return nil }
    let columns = Unmanaged<RecordColumns>.fromOpaque(context).takeUnretainedValue()
    guard let text = columns.column(number) else { return nil }
    length?.pointee = text.length
    return text.start
  }

/// Prints the records of a C program that have a type.
final class ProgramRecordPrinter: RecordPrinter {
  private let columns: RecordColumns
  private let printer: EventPrinter

  init(_ columns: RecordColumns, format: OutputFormat, output: Output) {
    self.columns = columns
    printer = EventPrinter(plan: columns.plan, format: format, output: output)
  }

  func drain(_ source: UnsafeMutablePointer<mt_source>, limit: UInt64) -> UInt64 {
    source.pointee.drain(source, limit, printRecord, Unmanaged.passUnretained(self).toOpaque())
  }

  fileprivate func print(_ data: UnsafeRawPointer, _ size: UInt32) -> Bool {
    columns.record = UnsafeRawBufferPointer(start: data, count: Int(size))
    defer { columns.record = nil }
    return printer.consumer(printer.consumerContext, data, size)
  }
}

private let printRecord: mt_record_fn = { context, data, size in
  guard let context, let data else { return true }
  return Unmanaged<ProgramRecordPrinter>.fromOpaque(context).takeUnretainedValue().print(data, size)
}
