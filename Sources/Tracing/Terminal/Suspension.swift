import Glibc

/// Stops the process as Ctrl-Z does, for a loop that takes SIGTSTP itself to clear the terminal first; returns when the
/// shell continues it, or at once where no shell could (an orphaned process group).
func suspendProcess() {
  var mask = sigset_t()
  sigemptyset(&mask)
  sigaddset(&mask, SIGTSTP)
  pthread_sigmask(SIG_UNBLOCK, &mask, nil)
  raise(SIGTSTP)
  pthread_sigmask(SIG_BLOCK, &mask, nil)
}
