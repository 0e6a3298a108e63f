// Every example does what its first line says, with one command.

import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import test, { type ExecutionContext } from 'ava'

import type { PermitSource } from '../index.js'
import { type Exit, program } from './helpers/child.ts'
import { removeNamed } from './helpers/names.ts'
import { AdvisoryLocks } from './helpers/advisory-locks.ts'
import { requires, tool } from './helpers/requires.ts'
import { permitSourceCases, type PermitSourceSubject } from '../testing.js'

const EXAMPLES = fileURLToPath(new URL('../examples/', import.meta.url))

/** The examples have names that people can read, so only one run at a time can have them. */
async function example(t: ExecutionContext, file: string, names: readonly string[]): Promise<Exit> {
  for (const name of names) t.teardown(() => removeNamed(name))
  const exit = await program(t, [process.execPath, `${EXAMPLES}${file}`]).exit
  t.is(exit.code, 0, exit.stdout + exit.stderr)
  t.is(exit.stderr, '')
  return exit
}

test('every example has a test', t => {
  t.deepEqual(readdirSync(EXAMPLES).sort(), [
    'demo',
    'limit-workers.mjs',
    'memory-python.mjs',
    'postgres-permits.mjs',
    'signal.mjs',
  ])
})

test('limit-workers.mjs runs two jobs at a time', async t => {
  const { stdout } = await example(t, 'limit-workers.mjs', ['/example-limit'])
  const lines = stdout.trimEnd().split('\n')
  t.is(lines.length, 24)
  let running = 0
  let most = 0
  for (const line of lines) {
    running += line.includes('begins') ? 1 : -1
    most = Math.max(most, running)
  }
  t.is(running, 0)
  // A worker says that it ends before it ends, and its line can be overtaken by that of the next one.
  t.true(most >= 2 && most <= 3, stdout)
})

test('signal.mjs waits for the other process', async t => {
  const { stdout } = await example(t, 'signal.mjs', ['/example-ready'])
  t.deepEqual(stdout.trimEnd().split('\n'), ['server: ready', 'client: the server is ready'])
})

requires(tool('python3'))('memory-python.mjs shares numbers with Python', async t => {
  const { stdout } = await example(t, 'memory-python.mjs', ['/example-numbers'])
  t.is(stdout, '2 5 -6 2000000\n')
})

const { PostgresPermits } = (await import(`${EXAMPLES}postgres-permits.mjs`)) as {
  PostgresPermits: new (pool: unknown, name: string, permits: number) => PermitSource
}
const database = new AdvisoryLocks()
let made = 0
const subject: PermitSourceSubject = {
  create: permits => new PostgresPermits(database.pool(), `/permits-${made++}`, permits),
  open: (name, permits) => new PostgresPermits(database.pool(), name, permits),
  lose: (_, { name }) => database.endConnectionsThatLock(name),
}
for (const { title, run } of permitSourceCases(subject)) {
  test(`postgres-permits.mjs: ${title}`, async t => {
    await t.notThrowsAsync(run)
  })
}
