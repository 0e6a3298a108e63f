// The completions, as the shells themselves offer them.

import { spawnSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'

import test, { type ExecutionContext } from 'ava'

import { COMMANDS } from '../../cli/commands.js'
import { Limit, Semaphore, SharedMemory } from '../../index.js'
import { cli, inTerminal, OS_IPC, terminals } from './helpers/cli.ts'
import { uniqueName } from '../shared/names.ts'
import { folder, write } from '../shared/project.ts'
import { requires, tool } from '../shared/requires.ts'

const NAMES = COMMANDS.map(({ name }) => name)

/** A PATH on which `os-ipc` is the one of this package. */
function path(t: ExecutionContext): string {
  const home = folder(t)
  const file = write(join(home, 'os-ipc'), `#!/bin/sh\nexec "${process.execPath}" "${OS_IPC}" "$@"\n`)
  chmodSync(file, 0o755)
  return `${home}:${process.env.PATH}`
}

async function script(t: ExecutionContext, shell: string): Promise<string> {
  const { code, stdout, stderr } = await cli(t, ['completion', shell])
  t.is(code, 0, stderr)
  return write(join(folder(t), `completion.${shell}`), stdout)
}

/** Objects whose names begin with the same letters. */
function objects(t: ExecutionContext): { semaphore: string; limit: string; memory: string; begun: string } {
  const tag = uniqueName(t)
  const [semaphore, limit, memory] = [`${tag}-sem`, `${tag}-lim`, `${tag}-mem`]
  const made = [
    Semaphore.create(semaphore, { initial: 1 }),
    Limit.create(limit, { permits: 1 }),
    SharedMemory.create(memory, { size: 8 }),
  ] as const
  t.teardown(() => {
    made[0].unlink()
    made[1].unlink()
    made[2].unlink()
  })
  return { semaphore, limit, memory, begun: tag.slice(1, -2) }
}

/** The completions of a line; where the shell lists them on a terminal, waits until it shows the wanted words. */
type Complete = (line: string, wanted: readonly string[]) => Promise<string[]>

interface Shell {
  readonly name: 'bash' | 'zsh' | 'fish'
  /** Whether the shell offers options for an empty word too. */
  readonly parse: readonly string[]
  /** The completions that the shell offers for the end of a line. */
  complete(t: ExecutionContext, file: string): Complete
}

const bash: Shell = {
  name: 'bash',
  parse: ['bash', '-n'],
  complete: (t, file) => {
    const env = { ...process.env, PATH: path(t) }
    return async line => {
      const driver = `
source "$1"
COMP_LINE=$2; COMP_POINT=\${#2}
read -ra COMP_WORDS <<<"$2"; [[ $2 == *' ' ]] && COMP_WORDS+=('')
COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
_os_ipc os-ipc
printf '%s\\n' "\${COMPREPLY[@]}"`
      const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', driver, 'bash', file, line], {
        env,
        encoding: 'utf8',
      })
      t.is(stderr, '')
      return stdout.split('\n').filter(Boolean)
    }
  },
}

const fish: Shell = {
  name: 'fish',
  parse: ['fish', '--no-execute'],
  complete: (t, file) => {
    const env = { ...process.env, PATH: path(t), HOME: folder(t) }
    return async line => {
      const driver = 'source $argv[1]; complete -C $argv[2]'
      const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', driver, file, line], {
        env,
        encoding: 'utf8',
      })
      t.is(stderr, '')
      return stdout
        .split('\n')
        .filter(Boolean)
        .map(offer => offer.split('\t')[0] as string)
    }
  },
}

const zsh: Shell = {
  name: 'zsh',
  parse: ['zsh', '-n'],
  complete: (t, file) => {
    // zsh completes only in its editor, so the test types a Tab on a terminal and reads the list.
    const env = { PATH: path(t), HOME: folder(t), ZDOTDIR: folder(t) }
    return async (line, wanted) => {
      const prepare = [
        "PS1='> '; unsetopt zle_bracketed_paste 2>/dev/null; autoload -Uz compinit; compinit -u -D",
        `source ${file}`,
        "zstyle ':completion:*' list-separator '--'; zstyle ':completion:*' menu no; setopt no_auto_menu no_beep list_packed; LISTMAX=1000",
        'bindkey "^X" list-choices; echo rea""dy',
      ].join('; ')
      const { output, problem } = await inTerminal(
        t,
        ['zsh', '-f', '-i'],
        [
          { type: `${prepare}\r` },
          { until: 'ready' },
          { until: '> ' },
          { mark: true },
          { type: line },
          { until: line.slice(-3) },
          { mark: true },
          { type: '\u0018' },
          ...wanted.map(word => ({ until: word })),
          { sleep: 0.5 },
          { signal: 9 },
        ],
        { env, rows: 60, columns: 200 },
      )
      t.is(problem, null, output)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one.
      const plain = output.replaceAll(/\u001b(\[[?\d;]*[A-Za-z]|[=>])/g, '')
      return plain.split(/\s+/)
    }
  },
}

for (const shell of [bash, zsh, fish]) {
  const there = tool(shell.name)

  requires(there)(`${shell.name} accepts its completion`, async t => {
    const [command = '', ...args] = shell.parse
    const { status, stderr } = spawnSync(command, [...args, await script(t, shell.name)], {
      encoding: 'utf8',
    })
    t.is(stderr, '')
    t.is(status, 0)
  })

  requires(there, ...(shell === zsh ? [terminals] : []))(
    `${shell.name} completes commands, options and names`,
    async t => {
      const complete = shell.complete(t, await script(t, shell.name))
      const { semaphore, limit, memory, begun } = objects(t)
      const has = async (line: string, wanted: readonly string[], unwanted: readonly string[] = []) => {
        const offers = await complete(line, wanted)
        for (const word of wanted) t.true(offers.includes(word), `${line}: ${word} in ${offers.join(' ')}`)
        for (const word of unwanted)
          t.false(offers.includes(word), `${line}: no ${word} in ${offers.join(' ')}`)
      }
      await has('os-ipc ', [...NAMES, 'help'])
      await has('os-ipc he', ['help'], ['ls'])
      await has('os-ipc run --', ['--permits', '--timeout', '--wait-code', '--owner', '--help'], ['--json'])
      await has(`os-ipc value ${begun}`, [semaphore.slice(1)], [limit.slice(1), memory.slice(1)])
      await has(`os-ipc value /${begun}`, [semaphore], [memory])
      await has(`os-ipc run -n 3 ${begun}`, [limit.slice(1)], [semaphore.slice(1), memory.slice(1)])
      await has(`os-ipc limit ${begun}`, [limit.slice(1)], [semaphore.slice(1), memory.slice(1)])
      await has(`os-ipc read --offset 4 ${begun}`, [memory.slice(1)], [semaphore.slice(1)])
      await has(`os-ipc rm other ${begun}`, [semaphore.slice(1), limit.slice(1), memory.slice(1)])
      await has('os-ipc completion ', ['bash', 'zsh', 'fish', 'powershell'])
      await has('os-ipc top --sort w', ['waiters'], ['age'])
      await has('os-ipc run jobs -- unam', ['uname'])
      await has('os-ipc create x --owner=', [shell === fish ? '--owner=any' : 'any'])
      await has('os-ipc help do', ['doctor'])
    },
  )
}

requires(tool('bash'), terminals)(
  'bash completes words with a colon, a space or an = in them, and files',
  async t => {
    const name = `${uniqueName(t).slice(1)}:users of *`
    const limit = Limit.create(name, { permits: 1 })
    t.teardown(() => limit.unlink())
    const begun = name.slice(0, name.indexOf(':'))
    const quoted = name.replaceAll(/[ *]/g, '\\$&')
    const home = folder(t)
    write(join(home, 'frames.bin'), '')
    const lines: [typed: string, completed: string][] = [
      [`os-ipc limit ${begun}`, quoted],
      [`os-ipc limit ${begun}:us`, quoted],
      [`os-ipc limit ${begun}:users\\ o`, quoted],
      [`os-ipc limit /${begun}:us`, `/${quoted}`],
      ['os-ipc create --owner=', '--owner=any'],
      [`os-ipc run --owner=any ${begun}:`, quoted],
      ['os-ipc read x > fra', 'frames.bin'],
      ['os-ipc write x <fra', '<frames.bin'],
      [`os-ipc run ${begun}:us`, `${quoted} `],
    ]
    const { output, problem } = await inTerminal(
      t,
      ['bash', '--norc', '-i'],
      [
        { type: `PS1='> '; cd ${home}; source ${await script(t, 'bash')}; clear; echo rea""dy\r` },
        { until: 'ready' },
        ...lines.flatMap(([typed, completed]) => [
          { mark: true } as const,
          { type: `${typed}\t` },
          { until: completed },
          { type: '\u0015' },
        ]),
        { signal: 9 },
      ],
      { env: { PATH: path(t), HOME: home }, columns: 200 },
    )
    t.is(problem, null, output)
  },
)

test('every command and option is in every completion', async t => {
  for (const shell of ['bash', 'zsh', 'fish', 'powershell']) {
    const { stdout } = await cli(t, ['completion', shell])
    for (const entry of COMMANDS) {
      t.true(stdout.includes(entry.name), `${shell} ${entry.name}`)
      for (const option of Object.keys((await entry.load()).options)) {
        t.true(
          stdout.includes(shell === 'fish' ? `-l ${option}` : `--${option}`),
          `${shell} ${entry.name} ${option}`,
        )
      }
    }
  }
})
