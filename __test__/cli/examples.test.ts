// Every example of every command's --help runs: the first one as it stands on an empty host, the others where their objects exist.

import { chmodSync } from 'node:fs'
import { join } from 'node:path'

import test, { type ExecutionContext } from 'ava'

import { redisServer, RedisServer } from '../redis/helpers/redis.ts'
import { program } from '../shared/child.ts'
import type { Need } from '../shared/requires.ts'
import { requires, tool } from '../shared/requires.ts'
import { PostgresServer, postgresServer } from '../shared/postgres.ts'
import { folder, write } from '../shared/project.ts'
import { privateIpc, withTmpfs } from '../shared/surroundings.ts'
import { cli, installed } from './helpers/cli.ts'

const COMMANDS = [
  ...['completion', 'create', 'doctor', 'key', 'limit', 'lock', 'ls', 'post', 'query', 'read'],
  ...['receive', 'rm', 'run', 'send', 'show', 'top', 'try', 'value', 'wait', 'write'],
]

/** What an example needs besides `os-ipc`: objects, and the user's own programs and files. */
const OBJECTS: Record<string, string> = {
  limit: 'os-ipc create jobs --permits 4',
  receive: 'os-ipc send jobs --create hello',
  send: 'os-ipc send jobs --create hello',
  create: '',
  run: '',
}
const OTHERS = [
  ...['create jobs -n 4', 'create ready -n 1', 'create slots -n 1', 'create uploads --permits 2'],
  ...['create frames --size 8k', 'create flags --size 4k', 'create old-one -n 1'],
  'create tasks --capacity 64k',
].map(command => `os-ipc ${command}`)

/** The examples of a command's help: the lines under their title, without the comments. */
async function examplesOf(t: ExecutionContext, command: string): Promise<string[]> {
  const { stdout } = await cli(t, [command, '--help'])
  const [, section = ''] = /^Examples:\n(.*?)(?:\n\n|$(?![\s\S]))/ms.exec(stdout) ?? []
  // The comments stand in a column, after at least two spaces.
  return section.split('\n').flatMap(line => /^ {2}(\S.*?) {2,}\S/.exec(line)?.[1] ?? [])
}

/** Runs lines of a shell in a folder, where no object exists. */
async function run(
  t: ExecutionContext,
  lines: readonly string[],
  env: Record<string, string> = {},
  argv = ['bash', '-ec'],
): Promise<void> {
  const home = folder(t)
  for (const name of ['deploy', 'read-cache', 'nightly', 'backup', 'import', 'work', 'convert']) {
    chmodSync(write(join(home, name), '#!/bin/sh\nexit 0\n'), 0o755)
  }
  for (const name of ['frames.bin', 'in.mov', 'access.log']) write(join(home, name), name)
  const within = [privateIpc(), withTmpfs('64m')]
  const script = lines.filter(line => line !== '').join('\n')
  const running = program(t, [...argv, `set -o pipefail; cd ${home}\n${script}`], {
    within,
    env: { PATH: installed(t), ...env },
  })
  const { code, stdout, stderr } = await running.exit
  t.is(code, 0, `${script}\n${stdout}${stderr}`)
}

/** An example that goes on until the user ends it, or whose exit code tells more than success. */
function ended(example: string): string {
  const endless = (words: string) => `timeout --signal=INT 3 ${words} || [[ $? = 124 || $? = 130 ]]`
  if (/--follow|tail -f/.test(example)) return endless(`bash -c '${example}'`)
  if (/^os-ipc top\b(?!.*--count)|--watch/.test(example)) return endless(example)
  return example.startsWith('os-ipc doctor') ? `${example} || [ $? = 1 ]` : example
}

const isolated = [privateIpc(), withTmpfs('64m')] as const

for (const command of COMMANDS) {
  requires(...isolated)(`the first example of os-ipc ${command} works as it stands`, async t => {
    const [first] = await examplesOf(t, command)
    await run(t, [ended(first as string)])
  })

  requires(
    ...isolated,
    tool('jq'),
    tool('xxd'),
  )(`the other examples of os-ipc ${command} work`, async t => {
    const [, ...others] = await examplesOf(t, command)
    const local = others.filter(example => !/--(postgres|redis)\b|completion/.test(example))
    for (const example of local) {
      await run(t, [OBJECTS[command] ?? OTHERS.join('\n'), ended(example)])
    }
    t.pass()
  })
}

async function withServer(t: ExecutionContext, option: string, env: Record<string, string>): Promise<void> {
  const all = (await Promise.all(COMMANDS.map(command => examplesOf(t, command)))).flat()
  const examples = all.filter(example => example.includes(option))
  t.true(examples.length > 0)
  for (const example of examples) await run(t, [example], env)
}

requires(...isolated, postgresServer)('the examples with --postgres work', async t => {
  const { url } = await PostgresServer.start(t)
  await withServer(t, '--postgres', { DATABASE_URL: url })
})

requires(...isolated, redisServer)('the examples with --redis work', async t => {
  const { port } = await RedisServer.start(t)
  await withServer(t, '--redis', { REDIS_URL: `redis://127.0.0.1:${port}` })
})

const shells: Record<string, readonly [Need, readonly string[]]> = {
  zsh: [tool('zsh'), ['zsh', '-ec', 'autoload -Uz compinit; compinit -uD; eval "$0"']],
  fish: [tool('fish'), ['fish', '-c']],
}

for (const [shell, [need, argv]] of Object.entries(shells)) {
  requires(...isolated, need)(`the completion example of ${shell} works`, async t => {
    const example = (await examplesOf(t, 'completion')).find(line => line.includes(`completion ${shell}`))
    const running = program(t, [...argv, example as string], {
      within: [...isolated],
      env: { PATH: installed(t), HOME: folder(t) },
    })
    const { code, stdout, stderr } = await running.exit
    t.is(code, 0, `${stdout}${stderr}`)
  })
}

test('every command has an example', async t => {
  const { stdout } = await cli(t, ['--help'])
  for (const command of COMMANDS) {
    t.regex(stdout, new RegExp(`^ {2}${command}\\b`, 'm'))
    t.true((await examplesOf(t, command)).length > 0, command)
  }
  const named = [...stdout.matchAll(/^ {2}([a-z]+) .*$/gm)].map(([, name]) => name as string)
  t.deepEqual(
    named.filter(name => !COMMANDS.includes(name) && name !== 'help'),
    [],
  )
})
