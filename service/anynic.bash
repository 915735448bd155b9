# SPDX-License-Identifier: Apache-2.0
# bash completion for anynic: commands and options are what its help says
_anynic()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
	local command=${COMP_WORDS[1]} choices=

	COMPREPLY=()
	if [ "$COMP_CWORD" = 1 ]; then
		choices="$(anynic help | sed -n 's/^  \([a-z]*\) .*/\1/p') help --version"
	elif [ "${word#-}" != "$word" ]; then
		choices=$(anynic help "$command" 2>/dev/null | grep -o -- '--[a-z-]*' | sort -u)
	elif [ "$before" = --net ]; then
		choices=$(anynic run --print-capabilities | sed -n 's/.*"nets": \[\(.*\)\].*/\1/p' | tr -d '",')
	elif [ "$command" = ctl ] && [ "$COMP_CWORD" = 3 ]; then
		choices=$(anynic help ctl 2>/dev/null | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p;s/^  \([a-z][a-z-]*\)$/\1/p')
	elif [ "$command" = ctl ] && [ "${COMP_WORDS[3]}" = port ] && [ "$COMP_CWORD" -gt 4 ]; then
		choices="off isolated=on spoofchk=on vlan= trunk="
	elif [ "${before#--}" = "$before" ] && [ "$COMP_CWORD" = 2 ]; then
		case $command in
		run | exec | show) choices=$(anynic list 2>/dev/null | awk '{ print $1 }') ;;
		esac
	fi
	if [ -n "$choices" ]; then
		mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$word")
	fi
	[ ${#COMPREPLY[@]} -gt 0 ] || mapfile -t COMPREPLY < <(compgen -f -- "$word")
}
complete -o filenames -F _anynic anynic
