recipe {
  name = "bashreadline",
  summary = "Trace the command lines that are entered into bash, in all sessions",
  version = "2.0.0",
  category = "shells",
  options = {
    { name = "shell", short = "s", type = "string", default = "/bin/bash",
      help = "the program or library that holds readline()" },
  },
  examples = {
    [[
moontrace bashreadline
         PID          UID COMMAND
        2963            0 ls -l
        2963            0 make test]],
    "moontrace bashreadline -s /lib/x86_64-linux-gnu/libreadline.so.8",
  },
}

probe("uretprobe:" .. opt.shell .. ":readline", function()
  if retval == 0 then return end -- end of input
  return { pid = pid, uid = uid, command = str(retval, 4096) }
end)
