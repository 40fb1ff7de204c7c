# Completions of noisescope for bash: the program is asked what could come next.
_noisescope() {
    local program=${1/#\~\//$HOME/} typed=${COMP_WORDS[COMP_CWORD]} word last line value i
    local words=() glue=
    COMPREPLY=()
    # Bash splits words at = and :, too.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if ((i == COMP_CWORD)) && [[ $word != [=:] ]]; then
            word=$2
        fi
        last=$((${#words[@]} - 1))
        if ((last > 0)) && [[ $glue || $word == [=:] ]]; then
            words[last]+=$word
        else
            words+=("$word")
        fi
        glue=
        if [[ $word == [=:] ]]; then
            glue=1
        fi
    done
    last=$((${#words[@]} - 1))
    for ((i = 0; i <= last; i++)); do
        words[i]=${words[i]//[\'\"\\]/}
    done
    # What bash replaces is only the part after the last = or :.
    local current=$2
    if [[ $typed == [=:] ]]; then
        current=
    fi
    local plain=${current//[\'\"\\]/}
    local before=${words[last]%"$plain"}
    while IFS= read -r line; do
        case $line in
        :files | :folders)
            local kind=-f names=default
            if [[ $line == :folders ]]; then
                kind=-d names=dirnames
            fi
            # Alone, they are left to bash, which knows how quotes and variables were typed.
            if ((${#COMPREPLY[@]} == 0)) && compopt -o "$names" 2>/dev/null; then
                continue
            fi
            compopt -o filenames 2>/dev/null
            while IFS= read -r value; do
                COMPREPLY+=("$value")
            done < <(compgen "$kind" -- "$plain")
            ;;
        *)
            value=${line%%$'\t'*}
            if [[ $value != "$before$plain"* ]]; then
                continue
            fi
            value=${value#"$before"}
            # A name that ends so is not yet complete.
            if [[ $value == */ ]]; then
                compopt -o nospace 2>/dev/null
            fi
            if [[ $typed != [\'\"]* ]]; then
                printf -v value %q "$value"
            fi
            COMPREPLY+=("$value")
            ;;
        esac
    done < <("$program" complete -- "${words[@]}" 2>/dev/null)
}
complete -F _noisescope noisescope
