import type { Completion } from '../core/command.js'
import { type CommandWords, namesCommand, type OptionWords, quoted } from './words.js'

/** The completion of zsh. */
export function zshCompletion(commands: readonly CommandWords[]): string {
  return `#compdef os-ipc
# Completion of os-ipc for zsh: source <(os-ipc completion zsh), or as a file _os-ipc on the fpath.
_os_ipc_names() {
  local -a names
  names=(\${(f)"$("$@" 2>/dev/null)"})
  # A backslash stands for a character that cannot be shown: that is not the name.
  names=(\${names:#*\\\\*})
  # A name is offered as it was begun: with its slash, or without.
  [[ $PREFIX == /* ]] || names=(\${names#/})
  compadd -a names
}
# Behind -- stands the line of another command, completed as if it stood there by itself.
_os_ipc_command() {
  local at=\${words[(i)--]}
  ((at < CURRENT)) || return 1
  shift $at words
  ((CURRENT -= at))
  _normal
  return 0
}
_os-ipc() {
  # Not called commands: that is zsh's own table of programs.
  local -a ours
  ours=(
${commands.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}`).join('\n')}
    'help:show the help of a command'
  )
  if ((CURRENT == 2)); then
    _describe -t commands 'command' ours
    [[ $PREFIX == -* ]] && compadd -- --help --version
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
    help) _describe -t commands 'command' ours ;;
${commands.map(commandCase).join('\n')}
  esac
}
if [[ \${zsh_eval_context[-1]} == loadautofunc ]]; then _os-ipc "$@"; else compdef _os-ipc os-ipc; fi
`
}

function commandCase({ name, options, operands, many, runs }: CommandWords): string {
  const last = operands.length - 1
  const specs = [
    ...options.flatMap(optionSpecs),
    ...operands.map((complete, at) =>
      quoted(`${at === last && many ? '*' : at + 1}:${kind(complete)}:${action(complete)}`),
    ),
  ]
  const call = `_arguments -s ${specs.map(spec => `\\\n      ${spec}`).join(' ')}`
  return `    ${name}) ${runs ? `_os_ipc_command || ${call}` : call} ;;`
}

function optionSpecs({ long, short, help, value }: OptionWords): string[] {
  const text = help.replaceAll(/[[\]:\\]/g, '\\$&')
  const argument = value === undefined ? '' : `:${value.name}:${action(value.complete)}`
  const exclusive = short === undefined ? '' : `(${short} ${long})`
  return [long, ...(short === undefined ? [] : [short])].map(option =>
    // With its value behind it, or behind a =.
    quoted(`${exclusive}${option}${value !== undefined && option === long ? '=' : ''}[${text}]${argument}`),
  )
}

function kind(complete: Completion | undefined): string {
  return typeof complete === 'string' ? complete : 'value'
}

function action(complete: Completion | undefined): string {
  if (Array.isArray(complete)) return `(${complete.join(' ')})`
  const names = namesCommand(complete as Completion | undefined)
  if (names !== undefined) return `{_os_ipc_names ${names}}`
  return complete === 'file' ? '_files' : ' '
}
