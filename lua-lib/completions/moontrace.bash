# run is the default command: what begins with no command is completed as behind run. And what bash takes apart at
# colons (tracepoint:sched:sched_switch) is one word.
_moontrace() {
    local -a joined=()
    local -i i index=0
    for ((i = 0; i < ${#COMP_WORDS[@]}; i++)); do
        if ((i > 1)) && [[ "${COMP_WORDS[i]}" = :* || "${COMP_WORDS[i - 1]}" = *: ]]; then
            joined[${#joined[@]} - 1]+="${COMP_WORDS[i]}"
        else
            joined+=("${COMP_WORDS[i]}")
        fi
        ((i == COMP_CWORD)) && index=$((${#joined[@]} - 1))
    done
    local cur="${joined[index]}" prev="${joined[index - 1]}"
    local colons="${cur%"${cur##*:}"}"
    local -a COMP_WORDS=("${joined[@]}") commands=()
    local COMP_CWORD="${index}"

    if ((index == 1)) && [[ "${cur}" != -* ]]; then
        __moontrace_command_line "${1}" "${cur}" "${prev}"
        commands=("${COMPREPLY[@]}")
        COMPREPLY=()
    fi
    if ((index == 1)) || ! declare -F "_moontrace_${joined[1]}" >/dev/null; then
        COMP_WORDS=("${joined[0]}" run "${joined[@]:1}")
        COMP_CWORD="$((index + 1))"
        local COMP_LINE="${COMP_WORDS[*]}"
        local COMP_POINT="${#COMP_LINE}"
    fi
    __moontrace_command_line "${1}" "${cur}" "${prev}"
    COMPREPLY=("${commands[@]}" "${COMPREPLY[@]#"${colons}"}")
    # A place is not complete with its kind, nor is it a file's name, whose colon would be quoted.
    if [[ "${COMPREPLY[0]}" = *: ]]; then compopt +o filenames -o nospace; fi
}

