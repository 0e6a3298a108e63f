import type { Completion } from '../core/command.js'
import { type CommandWords, namesCommand } from './words.js'

/** The completion of bash, 4 or later (macOS: 3.2 will do). */
export function bashCompletion(commands: readonly CommandWords[]): string {
  return `# Completion of os-ipc for bash: source <(os-ipc completion bash)
_os_ipc_words() { COMPREPLY+=($(compgen -W "$1" -- "$2")); }
_os_ipc_names() {
  local IFS=$'\\n' name
  # A name is offered as it was begun: with its slash, or without.
  for name in $("\${@:2}" 2>/dev/null); do
    [[ $1 == /* ]] || name=\${name#/}
    [[ $name == "$1"* ]] && COMPREPLY+=("$(printf %q "$name")")
  done
}
_os_ipc() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]} at operands=0 skip=
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
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
    for ((at = 2; at < COMP_CWORD; at++)); do
      if [[ $skip ]]; then skip=; continue; fi
      case \${COMP_WORDS[at]} in
${
  runs
    ? `        --)
          # From there on it is the line of another command.
          if ((COMP_CWORD == at + 1)); then COMPREPLY=($(compgen -c -- "$word"))
          elif declare -F _command_offset >/dev/null; then _command_offset $((at + 1))
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
