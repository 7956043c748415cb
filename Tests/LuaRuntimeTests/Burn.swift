import Glibc

/// Uses up processor time of this thread.
func burn(seconds: Double) {
  let end = threadSeconds() + seconds
  while threadSeconds() < end {}
}

/// The processor time of this thread.
func threadSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
