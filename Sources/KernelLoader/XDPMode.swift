/// Where on its way from the wire an XDP program meets a frame. Names and numbers are those of `XDP_FLAGS_*_MODE`
/// (linux/if_link.h); programs for the card itself (`hw`) are not loaded here.
public enum XDPMode: String, Equatable, Sendable, CaseIterable {
  /// In the network stack: any interface can.
  case generic = "skb"
  /// In the driver.
  case native = "drv"

  /// The bit for the kernel.
  public var flag: UInt32 { self == .generic ? 1 << 1 : 1 << 2 }
}
