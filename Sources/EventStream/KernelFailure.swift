import Glibc
import Support

extension MoontraceError {
  /// A system call that failed while `what` was being done; missing rights keep their own code and remedy.
  init(_ what: String, _ number: Int32) {
    if number == EPERM || number == EACCES {
      self.init(
        .notPermitted, "\(what): \(errnoText(number))", remedy: "run as root, or with CAP_BPF and CAP_PERFMON")
    } else {
      self.init(.scriptFailed, "\(what): \(errnoText(number))")
    }
  }
}
