/// The `sz` of a libbpf options struct of which nothing behind `field` is set.
///
/// libbpf refuses a struct with anything but zeros behind the last field it knows, and Swift leaves padding bytes as
/// they are: so the size given ends with a field, never with padding.
func optionsSize<Options, Field>(upTo field: KeyPath<Options, Field>) -> Int {
  (MemoryLayout<Options>.offset(of: field) ?? 0) + MemoryLayout<Field>.size
}
