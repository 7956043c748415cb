# run is the default command: what begins with no command is completed as behind run.
_moontrace() {
    local -i ret=1
    if (( CURRENT == 2 )) && [[ "${words[2]}" != -* ]]; then
        __moontrace_command_line && ret=0
    fi
    if (( CURRENT == 2 || ! ${+functions[_moontrace_${words[2]}]} )); then
        words=("${words[1]}" run "${(@)words[2,-1]}")
        (( CURRENT++ ))
    fi
    __moontrace_command_line && ret=0
    return "${ret}"
}

