
# run is the default command: its targets are offered where a command is.
complete -c moontrace -n '__moontrace_should_offer_completions_for_positional "moontrace" -eq 1' -fka '(__moontrace_custom_completion ---completion run -- positional@0 (count (__moontrace_tokens -pc)) (__moontrace_tokens -tC))'
