import BTF

/// A text of a record whose length another member says: `char args[4096]` beside `args_size`. It may hold several
/// strings, each ended by a NUL, such as a program's arguments.
struct CountedText {
  let name: String
  private let offset: Int
  /// Bytes that there is room for; 0 for as many as the record has.
  private let room: Int
  private let length: MemberLayout

  static func all(in record: RecordLayout) -> [CountedText] {
    record.members.compactMap { CountedText($0, in: record) }
  }

  private init?(_ member: MemberLayout, in record: RecordLayout) {
    guard case .text(let count) = member.value, count != 1 else { return nil }
    let names = ["size", "len", "length", "sz"].map { "\(member.name)_\($0)" }
    guard let length = record.members.first(where: { names.contains($0.name) && $0.isWord }) else { return nil }
    (name, offset, room, self.length) = (member.name, member.offset, count, length)
  }

  /// The strings with blanks between them; where the length says nothing, the first.
  func text(in record: UnsafeRawBufferPointer) -> String {
    guard offset >= 0, offset < record.count else { return "" }
    let bytes = record[offset..<min(record.count, room == 0 ? .max : offset + room)]
    guard let count = length.number(in: record), count > 0 else {
      return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    let strings = bytes.prefix(Int(count)).split(separator: 0, omittingEmptySubsequences: false)
    let last = strings.lastIndex { !$0.isEmpty } ?? -1
    return strings.prefix(last + 1).map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
  }
}

extension MemberLayout {
  fileprivate var isWord: Bool {
    if case .integer(4, _) = value { bits == nil } else { false }
  }
}
