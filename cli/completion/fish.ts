import type { Completion } from '../core/command.js'
import { type CommandWords, namesCommand, type OptionWords } from './words.js'

/** The completion of fish. */
export function fishCompletion(commands: readonly CommandWords[]): string {
  const names = commands.map(({ name }) => name).join(' ')
  return `# Completion of os-ipc for fish: os-ipc completion fish | source
function __os_ipc_names
  # A backslash stands for a character that cannot be shown: that is not the name.
  # A name is offered as it was begun: with its slash, or without.
  if string match -q -- '/*' (commandline -ct)
    $argv 2>/dev/null | string match -v -r '\\\\\\\\'
  else
    $argv 2>/dev/null | string match -v -r '\\\\\\\\' | string replace -r '^/' ''
  end
end
function __os_ipc_first
  test (count (commandline -opc)) -eq 1
end
function __os_ipc_after
  set -l words (commandline -opc)
  test (count $words) -gt 1; and contains -- $words[2] $argv; and not contains -- -- $words
end
function __os_ipc_command_of
  # Behind -- stands the line of another command.
  set -l words (commandline -opc)
  contains -- -- $words; and contains -- $words[2] $argv
end
function __os_ipc_complete_command
  set -l words (commandline -opc) (commandline -ct)
  set -l at (contains -i -- -- $words)
  complete -C (string join ' ' -- (string escape -- $words[(math $at + 1)..-2]) $words[-1])
end
complete -c os-ipc -f
complete -c os-ipc -n __os_ipc_first -a help -d 'show the help of a command'
complete -c os-ipc -n __os_ipc_first -l version -d 'show the version'
complete -c os-ipc -n '__os_ipc_after help' -a '${names}'
${commands.map(commandLines).join('\n')}
`
}

function commandLines({ name, summary, options, operands, runs }: CommandWords): string {
  const after = `-n '__os_ipc_after ${name}'`
  const kinds = [...new Set(operands)]
  return [
    `complete -c os-ipc -n __os_ipc_first -a ${name} -d ${quotedForFish(summary)}`,
    ...options.map(option => `complete -c os-ipc ${after} ${optionWords(option)}`),
    ...kinds.flatMap(complete => {
      const offered = offer(complete)
      return offered === '' ? [] : [`complete -c os-ipc ${after} ${offered}`]
    }),
    ...(runs ? [`complete -c os-ipc -n '__os_ipc_command_of ${name}' -a '(__os_ipc_complete_command)'`] : []),
  ].join('\n')
}

function optionWords({ long, short, help, value }: OptionWords): string {
  return [
    `-l ${long.slice(2)}`,
    ...(short === undefined ? [] : [`-s ${short.slice(1)}`]),
    ...(value === undefined ? [] : ['-x', offer(value.complete)]),
    `-d ${quotedForFish(help)}`,
  ]
    .filter(word => word !== '')
    .join(' ')
}

function offer(complete: Completion | undefined): string {
  if (Array.isArray(complete)) return `-a '${complete.join(' ')}'`
  const names = namesCommand(complete as Completion | undefined)
  if (names !== undefined) return `-a '(__os_ipc_names ${names})'`
  return complete === 'file' ? '-F' : ''
}

function quotedForFish(text: string): string {
  return `'${text.replaceAll(/['\\]/g, '\\$&')}'`
}
