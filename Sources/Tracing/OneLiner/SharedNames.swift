/// The names that one-liners use without declaring them: maps (`start[tid] = nsecs`) and variables (`calls = calls + 1`).
struct SharedNames {
  struct Map: Equatable {
    var name: String
    /// What the parts of its key are called.
    var keys: [String]
    /// Whether entries are deleted: then it is memory between probes, and else a result, which is shown at the end.
    var isScratch = false
  }

  private(set) var maps: [Map] = []
  /// Variables with their initial values: 0, or false where nothing but truth values is assigned.
  private(set) var variables: [(name: String, initial: String)] = []
  private var names: Set<String> = []
  private var assignments: [SharedAssignment] = []

  /// What the API and Lua itself call something.
  private static let known: Set<String> = Set(
    """
    pid tid uid gid comm ppid pcomm cpu nsecs elapsed cgroup rand curtask kstack ustack func probe retval args arg0 arg1 \
    arg2 arg3 arg4 arg5 str kstr buf ksym usym ntop cast exit print printf reg signal override count sum avg min max \
    stats hist lhist opt arg math string table utf8 coroutine type tostring tonumber select pairs ipairs next assert \
    error pcall map global stream emit _G _ENV require bpf every after at_exit
    """.split(separator: " ").map(String.init))

  init(_ actions: [OneLinerAction], filters: [OneLinerPart]) {
    for action in actions {
      for index in action.part.tokens.indices { note(index, action) }
    }
    for filter in filters {
      for index in filter.tokens.indices where Self.isIndexed(filter.tokens, index) { addMap(filter.tokens, index) }
    }
    maps.sort { $0.name < $1.name }
    let truths = SharedAssignment.truths(assignments)
    variables = names.subtracting(maps.map(\.name)).sorted().map { ($0, truths.contains($0) ? "false" : "0") }
  }

  private mutating func note(_ index: Int, _ action: OneLinerAction) {
    let tokens = action.part.tokens
    let token = tokens[index]
    guard token.kind == .name, action.globals.contains(token.text), Self.isFree(tokens, index) else { return }
    if Self.isIndexed(tokens, index) {
      addMap(tokens, index)
    } else if action.assigned.contains(token.text), !Self.known.contains(token.text) {
      names.insert(token.text)
      if let assignment = SharedAssignment(tokens, index) { assignments.append(assignment) }
    }
  }

  private mutating func addMap(_ tokens: TokenList, _ index: Int) {
    let name = tokens[index].text
    if !maps.contains(where: { $0.name == name }) { maps.append(Map(name: name, keys: Self.keys(tokens, index))) }
    let behind = tokens[(tokens.closing(index + 1) + 1)...].prefix(2)
    guard behind.first?.is("=") == true, behind.last?.is("nil") == true else { return }
    for place in maps.indices where maps[place].name == name { maps[place].isScratch = true }
  }

  /// `pid` and `comm` for `[{ pid, comm }]`.
  private static func keys(_ tokens: TokenList, _ index: Int) -> [String] {
    let key = tokens[(index + 2)..<tokens.closing(index + 1)]
    guard key.first?.is("{") == true else { return ColumnNames.of([key]) }
    return ColumnNames.of(key.dropFirst().dropLast().split())
  }

  /// Whether a token is a name by itself: no member, no field of a constructor.
  static func isFree(_ tokens: TokenList, _ index: Int) -> Bool {
    let before = index > tokens.startIndex ? tokens[index - 1] : nil
    if let before, before.is(".") || before.is(":") || before.is("::") || before.is("goto") { return false }
    let isField = before.map { $0.is("{") || $0.is(",") || $0.is(";") } ?? false
    let isNamed = index + 1 < tokens.endIndex && tokens[index + 1].is("=")
    return !(isField && isNamed && isInBraces(tokens, index))
  }

  private static func isInBraces(_ tokens: TokenList, _ index: Int) -> Bool {
    var open: [Bool] = []
    for token in tokens[..<index] where token.kind != .string {
      if "([{".contains(token.text) { open.append(token.is("{")) }
      if ")]}".contains(token.text) { _ = open.popLast() }
    }
    return open.last ?? false
  }

  private static func isIndexed(_ tokens: TokenList, _ index: Int) -> Bool {
    tokens[index].kind == .name && !known.contains(tokens[index].text) && isFree(tokens, index)
      && index + 1 < tokens.endIndex && tokens[index + 1].is("[")
  }
}
