// `os-ipc lock`: a command under a lock that programs share, and locks in the other commands.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import test, { type ExecutionContext } from 'ava'

import { lockSource } from '../../cli/run/lock-source.js'
import * as ipc from '../../index.js'
import { cli, json, start } from './helpers/cli.ts'
import type { Child, Exit } from '../shared/child.ts'
import { uniqueName } from '../shared/names.ts'
import { folder } from '../shared/project.ts'
import { linux, requires } from '../shared/requires.ts'
import { asUser } from '../shared/surroundings.ts'
import { until } from '../shared/until.ts'

const { capabilities, list, locks, Semaphore } = ipc

/** A lock name: any text. What killed processes leave of the lock is removed when the test ends. */
function lockName(t: ExecutionContext): string {
  const name = `${uniqueName(t).slice(1)}, a lock`
  t.teardown(() => {
    const left = capabilities.list ? list().locks.find(lock => lock.name === name)?.key : undefined
    if (left !== undefined) Semaphore.unlink(left)
  })
  return name
}

/** The mode of a lock in list(). */
function heldBy(name: string): string {
  const lock = list().locks.find(one => one.name === name)
  return lock === undefined ? 'none' : lock.exclusive ? 'alone' : `${lock.shared}`
}

/** A run that holds a lock until it reads a line. */
async function holder(t: ExecutionContext, name: string, ...options: string[]) {
  const child = start(t, ['lock', name, ...options, '--', 'sh', '-c', 'echo ready; read line'])
  await child.until('ready')
  return child
}

test('the command runs while no other process holds the lock, and os-ipc exits with its exit code', async t => {
  const name = lockName(t)
  const log = join(folder(t), 'log')
  const job = `echo + >> ${log}; sleep 0.05; echo - >> ${log}; exit 6`
  const runs = Array.from({ length: 5 }, () =>
    cli(t, ['lock', name, '--', 'sh', '-c', job], { limit: 60_000 }),
  )
  for (const exit of await Promise.all(runs)) t.like(exit, { code: 6, stdout: '', stderr: '' })
  t.is(readFileSync(log, 'utf8'), '+\n-\n'.repeat(5))
})

test('os-ipc lock takes the same lock as locks.request() of a program', async t => {
  const name = lockName(t)
  await locks.request(name, async () => {
    const refused = await cli(t, ['lock', name, '--timeout', '0', '--', 'echo', 'ran'])
    t.like(refused, {
      code: 124,
      stdout: '',
      stderr: `os-ipc: the lock ${name} was not free within 0 s\n`,
    })
    const late = await cli(t, ['lock', name, '-t', '100ms', '--wait-code', 3, '-q', '--', 'echo', 'ran'])
    t.like(late, { code: 3, stdout: '', stderr: '' })
  })
  const child = await holder(t, name)
  t.is(await locks.request(name, { ifAvailable: true }, lock => lock), null)
  child.send('go on')
  t.is((await child.exit).code, 0)
  t.truthy(await locks.request(name, { ifAvailable: true }, lock => lock))
})

test('--shared holds the lock together with other shared holders, but not with an exclusive one', async t => {
  const name = lockName(t)
  const one = await holder(t, name, '--shared')
  const two = await holder(t, name, '--shared')
  const alone = start(t, ['lock', name, '--', 'echo', 'alone'])
  await until(
    'the writer waits',
    () => (list().locks.find(lock => lock.name === name)?.processes.length ?? 0) >= 3,
  )
  t.is(heldBy(name), '2')
  one.send('end')
  two.send('end')
  t.like(await alone.exit, { code: 0, stdout: 'alone\n' })
})

requires(linux)('kill -9 of os-ipc frees the lock', async t => {
  const name = lockName(t)
  const child = await holder(t, name)
  t.is(heldBy(name), 'alone')
  const next = start(t, ['lock', name, '--', 'echo', 'next'])
  child.kill('SIGKILL')
  t.like(await next.exit, { code: 0, stdout: 'next\n' })
})

test('signals are passed on, and the lock is free only when the command has ended', async t => {
  const name = lockName(t)
  const child = start(t, [
    ...['lock', name, '--', 'bash', '-c'],
    'trap "echo HUP" HUP; trap "echo TERM; exit 3" TERM; echo ready; while :; do sleep 0.02; done',
  ])
  await child.until('ready')
  child.kill('SIGHUP')
  t.is(await child.next(), 'HUP')
  t.is(heldBy(name), 'alone')
  child.kill('SIGTERM')
  t.is(await child.next(), 'TERM')
  t.is((await child.exit).code, 3)
})

test('a signal ends os-ipc lock while it waits, and the command does not run', async t => {
  const name = lockName(t)
  await locks.request(name, async () => {
    const waiting = start(t, ['lock', name, '--', 'echo', 'ran'])
    await until('it waits', () => (list().locks.find(lock => lock.name === name)?.waiters ?? 0) > 0)
    waiting.kill('SIGTERM')
    t.like(await waiting.exit, { signal: 'SIGTERM', stdout: '' })
  })
})

requires(asUser(65534))('the lock of another user is refused, and the message names the owner', async t => {
  const name = lockName(t)
  await holder(t, name)
  const { code, stdout, stderr } = await cli(t, ['lock', name, '--', 'echo', 'ran'], {
    within: [asUser(65534)],
  })
  t.like({ code, stdout }, { code: 125, stdout: '' })
  t.regex(
    stderr,
    /^os-ipc: no permission: [^\n]+; a lock is for the processes of one user; choose another name\n$/,
  )
  const refused = {
    code: 4,
    stdout: '',
    stderr: `os-ipc: no permission for the lock ${name}: it belongs to root; a lock is for the processes of one user\n`,
  }
  for (const command of [['show'], ['rm'], ['rm', '--lock'], ['rm', '--force']]) {
    t.like(await cli(t, [...command, name], { within: [asUser(65534)] }), refused)
  }
  t.like(await cli(t, ['rm', '--memory', name], { within: [asUser(65534)] }), { code: 3 })
})

test.serial('a timeout that is longer than the longest timer of Node ends on time', async t => {
  const alarms: { ring: () => void; delay: number }[] = []
  const { setTimeout: real } = globalThis
  t.teardown(() => Object.assign(globalThis, { setTimeout: real }))
  const set = (ring: () => void, delay: number) => alarms.push({ ring, delay })
  Object.assign(globalThis, { setTimeout: set })
  const start = performance.now()
  const { now } = performance
  t.teardown(() => Object.assign(performance, { now }))

  const day = 86_400_000
  const name = lockName(t)
  await locks.request(name, async () => {
    const waiting = lockSource(ipc, name, 'exclusive').acquire({ timeout: 30 * day })
    for (const days of [24.9, 30.1]) {
      const alarm = alarms.pop()
      t.true((alarm?.delay ?? 0) < 2 ** 31, 'Node takes it')
      performance.now = () => start + days * day
      alarm?.ring()
      t.is(alarms.length, days < 30 ? 1 : 0, `after ${days} days`)
    }
    await t.throwsAsync(waiting, { code: 'ETIMEDOUT' })
  })
})

test('a missing command and an invalid name are refused', async t => {
  t.like(await cli(t, ['lock', 'x', '--', 'no-such-command']), { code: 127 })
  t.like(await cli(t, ['lock', 'x', 'make', 'all']), {
    code: 125,
    stderr: 'os-ipc: lock needs a command after --; os-ipc lock x -- make all\n',
  })
  const long = await cli(t, ['lock', 'x'.repeat(300), '--', 'true'])
  t.is(long.code, 125)
  t.regex(long.stderr, /^os-ipc: [^\n]+\n$/)
})

requires(linux)('ls, show, top and rm work on locks', async t => {
  const name = lockName(t)
  const child = await holder(t, name, '--shared')
  t.regex(
    (await cli(t, ['ls'])).stdout,
    new RegExp(`^lock +${name} +\\d+ +shared 1 +0 +- +- +- +\\w+ +600 +${child.pid} +\\d+s$`, 'm'),
  )
  t.is((await cli(t, ['ls', '--names', '--locks', name])).stdout, `${name}\n`)
  t.is((await cli(t, ['ls', '--names', '--semaphores', name])).stdout, '')
  interface Item {
    type: string
    shared: number
    exclusive: boolean
    processes: number[]
    value: number | null
  }
  const [item] = await json<Item[]>(t, ['show', name, '--json'])
  t.like(item, { type: 'lock', shared: 1, exclusive: false, processes: [child.pid], value: null })
  const shown = await cli(t, ['show', name])
  t.regex(shown.stdout, new RegExp(`held +by 1, shared[^]*used by +${child.pid} sh`))
  t.regex((await cli(t, ['top', name, '-c', 1])).stdout, new RegExp(`^lock +${name} +shared 1 `, 'm'))
  t.regex((await cli(t, ['read', name])).stderr, /a lock has this name: os-ipc show /)
  t.like(await cli(t, ['rm', name]), {
    code: 1,
    stderr: `os-ipc: ${name} is in use: it is held by ${child.pid} sh; --force removes it\n`,
  })
  // Only a killed process leaves a lock that can be removed.
  const removed = async (killed: Child): Promise<Exit> => {
    killed.kill('SIGKILL')
    await killed.exit
    await until('no process holds the lock', () => ['0', 'none'].includes(heldBy(name)))
    return cli(t, ['rm', '--lock', name])
  }
  let exit = await removed(child)
  // `os-ipc lock` of another test removes the locks of dead processes that it finds.
  for (let tries = 0; exit.code === 3 && tries < 10; tries += 1) exit = await removed(await holder(t, name))
  t.like(exit, { code: 0, stderr: '' })
  t.is(heldBy(name), 'none')
})
