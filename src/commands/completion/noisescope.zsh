#compdef noisescope
# Completions of noisescope for zsh: the program is asked what could come next.
_noisescope() {
    local program=${(Q)words[1]} line kind value
    program=${program/#\~\//$HOME/}
    local -a before described unfinished
    before=("${(@Q)words[1,CURRENT-1]}")
    for line in "${(@f)$("$program" complete -- "${before[@]}" "${(Q)PREFIX}" 2>/dev/null)}"; do
        value=${${line%%$'\t'*}//:/\\:}
        if [[ $line == *$'\t'* ]]; then
            value+=":${line#*$'\t'}"
        fi
        case $line in
            ('') ;;
            (:files | :folders) kind=$line ;;
            (*/ | */$'\t'*) unfinished+=("$value") ;;
            (*) described+=("$value") ;;
        esac
    done
    local result=1
    (( $#described )) && _describe -V 'values' described && result=0
    (( $#unfinished )) && _describe -V 'values' unfinished -S '' && result=0
    if [[ -n $kind ]]; then
        [[ $PREFIX == --*=* ]] && compset -P '*='
        case $kind in
            (:files) _files && result=0 ;;
            (:folders) _files -/ && result=0 ;;
        esac
    fi
    return result
}
if [[ $funcstack[1] == _noisescope ]]; then
    _noisescope "$@"
else
    compdef _noisescope noisescope
fi
