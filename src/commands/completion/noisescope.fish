# Completions of noisescope for fish: the program is asked what could come next.
function __noisescope_complete
    set -l words (commandline --current-process --tokenize --cut-at-cursor)
    set -l current (commandline --current-token --cut-at-cursor)
    set -l program (string replace --regex '^~/' "$HOME/" -- $words[1])
    for line in ($program complete -- $words "$current" 2>/dev/null)
        switch $line
            case ':files' ':folders'
                set -l before (string match --regex -- '^--[^=]*=' "$current")
                set -l typed (string replace --regex -- '^--[^=]*=' '' "$current")
                # Of a command that does not exist, fish completes paths, with quotes and variables as they were typed.
                for path in (complete --do-complete "noisescope-paths $typed")
                    if test $line = ':files'; or string match --quiet -- '*/' "$path"
                        printf '%s\n' "$before$path"
                    end
                end
            case '*'
                printf '%s\n' $line
        end
    end
end
complete --command noisescope --no-files --arguments '(__noisescope_complete)'
