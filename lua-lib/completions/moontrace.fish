
# Whether a target of run, the default command, stands before the word that is completed.
function __moontrace_is_behind_target
    set -l words (__moontrace_tokens -pc)
    set -e words[1]
    switch "$words[1]"
        case run
            set -e words[1]
        case trace repl list doctor check completions new help
            return 1
    end
    while set -q words[1]
        string match -q -- '-?*' $words[1]; or return 0
        contains -- $words[1] @OPTIONS_WITH_VALUES@; and set -e words[1]
        set -e words[1]
    end
    return 1
end

# What stands behind a target is the recipe's, and not moontrace's.
for kind in flags_or_options positional
    functions -q __moontrace_offers_$kind; and functions -e __moontrace_offers_$kind
    functions -c __moontrace_should_offer_completions_for_$kind __moontrace_offers_$kind
end
function __moontrace_should_offer_completions_for_flags_or_options
    not __moontrace_is_behind_target; and __moontrace_offers_flags_or_options $argv
end
function __moontrace_should_offer_completions_for_positional
    not __moontrace_is_behind_target; and __moontrace_offers_positional $argv
end
complete -c moontrace -n __moontrace_is_behind_target -fka '(__moontrace_custom_completion ---completion run -- positional@0 (count (__moontrace_tokens -pc)) (string length -- "$(commandline -ct)"))'

# run is the default command: its targets are offered where a command is.
complete -c moontrace -n '__moontrace_should_offer_completions_for_positional "moontrace" -eq 1' -fka '(__moontrace_custom_completion ---completion run -- positional@0 (count (__moontrace_tokens -pc)) (string length -- "$(commandline -ct)"))'
