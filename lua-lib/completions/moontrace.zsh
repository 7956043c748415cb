# run is the default command: what begins with no command is completed as behind run. And what stands behind a target is
# the recipe's.
_moontrace() {
    local -i ret=1
    if (( CURRENT == 2 )) && [[ "${words[2]}" != -* ]]; then
        __moontrace_command_line && ret=0
    fi
    if (( CURRENT == 2 || ! ${+functions[_moontrace_${words[2]}]} )); then
        words=("${words[1]}" run "${(@)words[2,-1]}")
        (( CURRENT++ ))
    fi
    if __moontrace_is_behind_target; then
        __moontrace_recipe && ret=0
    else
        __moontrace_command_line && ret=0
    fi
    return "${ret}"
}

# Whether a target of run stands before the word that is completed.
__moontrace_is_behind_target() {
    [[ "${words[2]}" = run ]] || return 1
    local -i i
    for (( i = 3; i < CURRENT; i++ )); do
        [[ "${words[i]}" = -?* ]] || return 0
        [[ " @OPTIONS_WITH_VALUES@ " = *" ${words[i]} "* ]] && (( i++ ))
    done
    return 1
}

__moontrace_recipe() {
    local -x SAP_SHELL=zsh SAP_SHELL_VERSION="${ZSH_VERSION}"
    local command_name="${words[1]}"
    local -a command_line=("${words[@]}")
    __moontrace_custom_complete ---completion run -- positional@0 "$(( CURRENT - 1 ))" "${#PREFIX}"
}
