/// The arguments of a call, up to five, which is what the kernel's helpers take.
///
/// They lie in the call itself, not in an array, so that passes copy and drop instructions without counting references.
struct CallArguments<Element>: Sequence, ExpressibleByArrayLiteral {
  private var elements = InlineArray<5, Element?>(repeating: nil)
  private(set) var count = 0

  init(arrayLiteral elements: Element...) { self.init(elements) }

  /// - Parameter elements: five at most.
  init(_ elements: some Sequence<Element>) {
    for element in elements { append(element) }
  }

  private mutating func append(_ element: Element) {
    elements[count] = element
    count += 1
  }

  /// Argument `index`, below 5; nil when there is none.
  subscript(index: Int) -> Element? { elements[index] }

  /// What `change` makes of each argument.
  func mapped<Other>(_ change: (Element) -> Other) -> CallArguments<Other> {
    var changed: CallArguments<Other> = []
    for index in 0..<count {
      if let element = elements[index] { changed.append(change(element)) }
    }
    return changed
  }

  struct Iterator: IteratorProtocol {
    fileprivate let arguments: CallArguments
    fileprivate var index = 0

    mutating func next() -> Element? {
      guard index < arguments.count else { return nil }
      defer { index += 1 }
      return arguments[index]
    }
  }

  func makeIterator() -> Iterator { Iterator(arguments: self) }
}

extension CallArguments: Equatable where Element: Equatable {
  static func == (left: CallArguments, right: CallArguments) -> Bool {
    left.count == right.count && (0..<left.count).allSatisfy { left[$0] == right[$0] }
  }
}

extension CallArguments: Sendable where Element: Sendable {}
