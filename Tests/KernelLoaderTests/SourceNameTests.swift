import Testing

@testable import KernelLoader

/// Symbols of compilers as people know them.
struct SourceNameTests {
  @Test(arguments: [
    ("_ZN4disk5flushEi", "disk::flush(int)"),
    ("_ZNSt6vectorIiSaIiEE9push_backERKi", "std::vector<int, std::allocator<int> >::push_back(int const&)"),
    ("$s4main5StoreC3getSiyF", "main.Store.get() -> Swift.Int"),
    ("$sSS5countSivg", "Swift.String.count.getter : Swift.Int"),
    ("malloc", "malloc"), ("_Zebra", "_Zebra"), ("_Z", "_Z"), ("$s", "$s"), ("", ""), ("$stack", "$stack"),
  ])
  func asTheSourceSpellsIt(_ symbol: String, _ name: String) {
    #expect(sourceName(of: symbol) == name)
  }
}
