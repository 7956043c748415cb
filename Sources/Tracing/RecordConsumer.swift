import CEventCore
import LuaRuntime

/// A buffer of records and who takes them, as the session drains it.
protocol RecordConsumer: AnyObject {
  var sources: [UnsafeMutablePointer<mt_source>] { get }
  var turns: TurnSize { get set }
  /// Hands at most `limit` records of a source over. With a failure, the record that failed counts as delivered.
  func drain(
    _ source: UnsafeMutablePointer<mt_source>, limit: UInt64
  ) -> (delivered: UInt64, failure: LuaFailure?)
  /// The number of a record's kind, and how many bytes stand before its fields.
  func kindNumber(_ data: UnsafeRawPointer, _ size: UInt32) -> (number: Int, offset: UInt32)
  /// What records of a kind are; nil when they are not for people.
  func kind(_ number: Int) -> RecordKind?
}

/// How many records one turn takes: fewer where handlers are slow, so that a turn stays short and the loop can keep to
/// deadlines, signals and its other buffers.
struct TurnSize {
  private(set) var records: UInt64 = 256
  private static let most: UInt64 = 8192
  private static let shortTurn: UInt64 = 5_000_000

  /// Learns from how long a turn took, in nanoseconds.
  mutating func turnTook(_ nanoseconds: UInt64) {
    records = nanoseconds > Self.shortTurn ? max(1, records / 4) : min(Self.most, records * 2)
  }
}
