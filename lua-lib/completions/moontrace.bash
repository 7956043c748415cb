# run is the default command: what begins with no command is completed as behind run. What bash takes apart at colons
# and equals signs (tracepoint:sched:sched_switch, --arg=1) is one word. And what stands behind a target is the recipe's.
_moontrace() {
    local -a joined=()
    local -i i index=0
    for ((i = 0; i < ${#COMP_WORDS[@]}; i++)); do
        if ((i > 1)) && [[ "${COMP_WORDS[i]}" = [:=]* || "${COMP_WORDS[i - 1]}" = *[:=] ]]; then
            joined[${#joined[@]} - 1]+="${COMP_WORDS[i]}"
        else
            joined+=("${COMP_WORDS[i]}")
        fi
        ((i == COMP_CWORD)) && index=$((${#joined[@]} - 1))
    done
    local cur="${joined[index]}" prev="${joined[index - 1]}"
    local stem="${cur%"${cur##*[:=]}"}"
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
    if __moontrace_is_behind_target; then
        COMPREPLY=()
        __moontrace_add_completions -W "$(SAP_SHELL=bash __moontrace_custom_complete ---completion run -- positional@0 "${COMP_CWORD}" "${#cur}")"
    else
        __moontrace_command_line "${1}" "${cur}" "${prev}"
    fi
    COMPREPLY=("${commands[@]}" "${COMPREPLY[@]#"${stem}"}")
    # A place is not complete with its kind, nor is it a file's name, whose colon would be quoted.
    if [[ "${COMPREPLY[0]}" = *: ]]; then compopt +o filenames -o nospace; fi
}

# Whether a target of run stands before the word that is completed.
__moontrace_is_behind_target() {
    [[ "${COMP_WORDS[1]}" = run ]] || return 1
    local -i i
    for ((i = 2; i < COMP_CWORD; i++)); do
        [[ "${COMP_WORDS[i]}" = -?* ]] || return 0
        [[ " @OPTIONS_WITH_VALUES@ " = *" ${COMP_WORDS[i]} "* ]] && ((i++))
    done
    return 1
}

