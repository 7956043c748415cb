import Glibc
import Support

/// A block device of the test's own, whose contents are a file; gone with this value.
final class LoopDevice {
  /// `/dev/loop3`
  let path: String
  private let directory: TemporaryDirectory

  init(megabytes: Int) throws {
    directory = try TemporaryDirectory()
    let image = try directory.write("image", "")
    let size = megabytes << 20
    try check("make \(image) larger") { truncate(image, size) }
    // Where nothing has used loop devices yet: the kernel loads their driver when this is opened.
    if access("/dev/loop-control", F_OK) != 0 { mknod("/dev/loop-control", S_IFCHR | 0o600, 10 << 8 | 237) }
    path = try Self.output("/sbin/losetup", ["--find", "--show", image], in: directory).trimming
  }

  deinit {
    _ = try? Subprocess("/sbin/losetup", ["--detach", path]).wait()
  }

  /// `loop3`
  var name: String { String(path.dropFirst("/dev/".count)) }

  /// Its number as the kernel prints it: `7:3`.
  var number: String { "7:\(name.dropFirst("loop".count))" }

  /// Makes a file system on it.
  func format() throws {
    let status = try Subprocess("/sbin/mkfs.ext4", ["-q", "-O", "^has_journal", path]).wait()
    guard status == 0 else { throw SystemError("make a file system on \(path)", errno: EIO) }
  }

  /// Runs a shell script in a mount namespace with the device's file system at `$MNT`. It is taken away at the end, and
  /// with it what the page cache holds of it.
  func run(_ script: String) throws {
    let place = directory.path("mount")
    let whole = "MNT=\(place); mkdir -p $MNT; mount -o nobarrier \(path) $MNT; \(script); umount $MNT"
    let status = try Subprocess("/usr/bin/unshare", ["--mount", "/bin/sh", "-ec", whole]).wait()
    guard status == 0 else { throw SystemError("run \(script)", errno: EIO) }
  }

  private static func output(_ path: String, _ arguments: [String], in directory: TemporaryDirectory) throws -> String {
    let file = try directory.write("out", "")
    let output = OwnedDescriptor(try check("open \(file)") { open(file, O_RDWR | O_CLOEXEC) })
    let status = try Subprocess(path, arguments, descriptors: [1: output.number]).wait()
    guard status == 0 else { throw SystemError("run \(path)", errno: EIO) }
    return String(decoding: try readFile(file), as: UTF8.self)
  }
}
