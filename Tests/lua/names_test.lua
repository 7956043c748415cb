-- Assertions on moontrace.names; prints "ok".
local names = require "moontrace.names"

local function equal(actual, expected)
  if actual ~= expected then error("expected " .. tostring(expected) .. ", got " .. tostring(actual), 2) end
end

equal(names.syscall_name(0), "read")
equal(names.syscall_name(110), "getppid")
equal(names.syscall_name(257), "openat")
equal(names.syscall_name(334), "rseq")
equal(names.syscall_name(335), "uretprobe")
equal(names.syscall_name(424), "pidfd_send_signal")
equal(names.syscall_name(462), "mseal")
equal(names.syscall_name(463), "setxattrat")
equal(names.syscall_name(469), "file_setattr")
equal(names.syscall_name(400), "syscall_400")
equal(names.syscall_name(999), "syscall_999")
equal(names.syscall_name(-1), "syscall_-1")

equal(names.errno_name(2), "ENOENT")
equal(names.errno_name(-2), "ENOENT")
equal(names.errno_name(11), "EAGAIN")
equal(names.errno_name(35), "EDEADLK")
equal(names.errno_name(133), "EHWPOISON")
equal(names.errno_name(-512), "ERESTARTSYS")
equal(names.errno_name(0), "errno_0")
equal(names.errno_name(-999), "errno_-999")
equal(names.errno_name(math.mininteger), "errno_" .. math.mininteger)

equal(names.signal_name(1), "SIGHUP")
equal(names.signal_name(9), "SIGKILL")
equal(names.signal_name(15), "SIGTERM")
equal(names.signal_name(17), "SIGCHLD")
equal(names.signal_name(31), "SIGSYS")
equal(names.signal_name(32), "SIG32")
equal(names.signal_name(35), "SIGRTMIN+1")
equal(names.signal_name(50), "SIGRTMAX-14")
equal(names.signal_name(64), "SIGRTMAX")
equal(names.signal_name(99), "SIG99")

equal(names.syscall_name(257.0), "openat")
local done, message = pcall(names.syscall_name, "openat")
equal(done, false)
equal(message:match("syscall_name: .*$"), "syscall_name: expected an integer, got string")
done, message = pcall(names.errno_name, 1.5)
equal(message:match("errno_name: .*$"), "errno_name: expected an integer, got 1.5")

print("ok")
