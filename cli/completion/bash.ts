import type { Completion } from '../core/command.js'
import { type CommandWords, namesCommand } from './words.js'

/** The completion for bash 4 or later (3.2 on macOS works too). */
export function bashCompletion(commands: readonly CommandWords[]): string {
  return `# Completion of os-ipc for bash: source <(os-ipc completion bash)
_os_ipc_words() { COMPREPLY+=($(compgen -W "$1" -- "$2")); }
_os_ipc_names() {
  local name quoted
  # A name is offered as it was begun: with its slash, or without.
  while IFS= read -r name; do
    # A backslash stands for a character that cannot be shown: that is not the name.
    [[ $name == *\\\\* ]] && continue
    [[ $1 == /* ]] || name=\${name#/}
    quoted=$(printf %q "$name")
    [[ $name == "$1"* || $quoted == "$1"* ]] && COMPREPLY+=("$quoted")
  done < <("\${@:2}" 2>/dev/null)
}
# The words up to the cursor, and where in COMP_WORDS each begins: there a : or = is a word of its own.
_os_ipc_split() {
  local rest=$COMP_LINE at
  for ((at = 0; at <= COMP_CWORD; at++)); do
    if ((at == 0)) || [[ $rest == [[:space:]]* ]]; then
      words+=("\${COMP_WORDS[at]}") starts+=("$at")
    else
      words[\${#words[@]}-1]+=\${COMP_WORDS[at]}
    fi
    rest=\${rest#"\${rest%%[![:space:]]*}"}
    rest=\${rest#"\${COMP_WORDS[at]}"}
  done
}
_os_ipc() {
  local words=() starts=() last word before option= breaks=\${COMP_WORDBREAKS//[^:=]/} kept= at
  COMPREPLY=()
  _os_ipc_split
  last=$((\${#words[@]} - 1))
  word=\${words[last]} before=\${words[last-1]}
  if [[ $word == *[\\<\\>]* || $before == *[\\<\\>] ]]; then
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen -f -- "\${word##*[<>]}"))
    return
  fi
  # What stands before the last of them stays, and is no part of what is offered.
  [[ $breaks ]] && kept=\${word%"\${word##*[$breaks]}"}
  if [[ $word == --*=* ]]; then
    before=\${word%%=*} option=\${word%%=*}=
    word=\${word#*=}
  fi
  _os_ipc_offer
  ((\${#COMPREPLY[@]} == 0)) && return
  COMPREPLY=("\${COMPREPLY[@]/#/$option}")
  COMPREPLY=("\${COMPREPLY[@]#"$kept"}")
}
_os_ipc_offer() {
  local command=\${words[1]} operands=0 skip=
  if ((last == 1)); then
    _os_ipc_words '${[...commands.map(({ name }) => name), 'help', '--help', '--version'].join(' ')}' "$word"
    return
  fi
  if [[ $command == help ]]; then
    _os_ipc_words '${commands.map(({ name }) => name).join(' ')}' "$word"
    return
  fi
  case $command in
${commands.map(commandCase).join('\n')}
  esac
}
complete -F _os_ipc os-ipc
`
}

function commandCase({ name, options, operands, many, runs }: CommandWords): string {
  const valued = options.flatMap(({ long, short, value }) =>
    value === undefined ? [] : [{ names: [long, ...(short ? [short] : [])], value }],
  )
  const withValue = valued.flatMap(({ names }) => names).join('|')
  return `  ${name})
    for ((at = 2; at < last; at++)); do
      if [[ $skip ]]; then skip=; continue; fi
      case \${words[at]} in
${
  runs
    ? `        --)
          # From there on it is the line of another command.
          if ((last == at + 1)); then COMPREPLY=($(compgen -c -- "$word"))
          elif declare -F _command_offset >/dev/null; then _command_offset $((starts[at] + 1))
          else COMPREPLY=($(compgen -f -- "$word")); fi
          return ;;
`
    : ''
}${withValue === '' ? '' : `        ${withValue}) skip=1 ;;\n`}        -*) ;;
        *) operands=$((operands + 1)) ;;
      esac
    done
${
  valued.length === 0
    ? ''
    : `    case $before in
${valued.map(({ names, value }) => `      ${names.join('|')}) ${offer(value.complete)}; return ;;`).join('\n')}
    esac
`
}    if [[ $word == -* ]]; then
      _os_ipc_words '${options.map(({ long }) => long).join(' ')}${runs ? ' --' : ''}' "$word"
      return
    fi
    case $operands in
${operands.map((complete, at) => `      ${at === operands.length - 1 && many ? '*' : at}) ${offer(complete)} ;;`).join('\n')}
    esac
    ;;`
}

function offer(complete: Completion | undefined): string {
  if (Array.isArray(complete)) return `_os_ipc_words '${complete.join(' ')}' "$word"`
  const names = namesCommand(complete as Completion | undefined)
  if (names !== undefined) return `_os_ipc_names "$word" ${names}`
  return complete === 'file' ? 'COMPREPLY=($(compgen -f -- "$word"))' : ':'
}
