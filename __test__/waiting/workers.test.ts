// A worker that ends, in whichever way, leaves nothing of its waits: no thread that takes the next unit, no unit lost.

import test, { type ExecutionContext } from 'ava'

import { Semaphore } from '../../index.js'
import { type Backend, backends } from '../shared/backends.ts'
import { child } from '../shared/child.ts'
import { uniqueName } from '../shared/names.ts'
import { type NodeBinary, nodes } from '../shared/nodes.ts'
import { until } from '../shared/until.ts'

/** The states of a worker, and whether it then has a unit of the one that exists. */
const STATES: Record<string, { units: number; busy?: boolean }> = {
  'waits pending': { units: 0 },
  'unref waits pending': { units: 0 },
  'a unit on its way': { units: 1, busy: true },
  waitSync: { units: 0, busy: true },
}

interface Run {
  node: NodeBinary
  state: string
  how: string
  backend?: Backend
  /** Whether the main thread loads the addon too. */
  loads?: boolean
}

async function endsClean(t: ExecutionContext, run: Run): Promise<void> {
  const { node, state, how, backend = backends[0] as Backend, loads = true } = run
  const { units } = STATES[state] as { units: number }
  const name = uniqueName(t)
  const semaphore = Semaphore.create(name, { initial: 0, backend })
  t.teardown(() => semaphore.close())
  const process = child(t, 'waiting/end-worker.ts', {
    node,
    args: [state, how, backend, name, String(loads)],
  })
  t.is(await process.next(), 'ready')
  await until('it waits', () => (semaphore.info().waiters ?? 0) > 0)
  if (units > 0) {
    semaphore.post()
    await until('the unit is on its way', () => semaphore.value === 0)
  }
  t.is(semaphore.value, 0)
  process.send('end')
  const text = JSON.stringify(run)
  if (how !== 'process.exit of the main thread') {
    t.is(await process.next(), 'ended')
    // As soon as the worker is gone; the process lives on.
    // No thread stays behind; a thread that is about to leave takes no unit either.
    if (state === 'unref waits pending') await until('no thread waits', () => semaphore.info().waiters === 0)
    if (how !== 'terminate, and post at once') semaphore.post()
    await until(`all units are back: ${text}`, () => semaphore.value === units + 1)
    await until('no thread waits', () => semaphore.info().waiters === 0)
    process.send('end')
  }
  const exit = await process.exit
  t.like(exit, { code: 0, signal: null }, text + exit.stderr)
  if (how === 'process.exit of the main thread') semaphore.post()
  t.is(semaphore.value, units + 1, text)
}

/** Node unmaps the addon of a worker that ends, unless the addon keeps itself. A thread that blocks in it would crash. */
async function staysMapped(t: ExecutionContext, node: NodeBinary, state: string): Promise<void> {
  const backend = backends[0] as Backend
  const name = uniqueName(t)
  const semaphore = Semaphore.create(name, { initial: 0, backend })
  t.teardown(() => semaphore.close())
  const process = child(t, 'waiting/mapped-addon.ts', { node, args: [state, backend, name] })
  await until('a thread blocks', () => (semaphore.info().waiters ?? 0) > 0)
  process.send('end')
  const { before, during, after } = (await process.next()) as Record<string, string[]>
  t.deepEqual(before, [])
  t.is(during?.length, 1)
  t.deepEqual(after, during)
  process.send('go on')
  t.is(await process.next(), 'woken')
  const exit = await process.exit
  t.like(exit, { code: 0, signal: null }, exit.stderr)
}

for (const [state, { busy = false }] of Object.entries(STATES)) {
  for (const how of ['terminate', 'process.exit', 'process.exit of the main thread']) {
    // A busy worker cannot call it, and the other states test nothing new.
    if (how === 'process.exit' && (busy || state !== 'waits pending')) continue
    test.serial(`a worker with ${state} ends: ${how}`, async t => {
      await Promise.all(nodes.map(node => endsClean(t, { node, state, how })))
    })
  }
  test.serial(`a worker with ${state} is terminated, on the other backend`, async t => {
    await Promise.all(nodes.map(node => endsClean(t, { node, state, how: 'terminate', backend: 'posix' })))
  })
}

test.serial('a worker with waits pending that alone loaded the addon ends', async t => {
  const run = { state: 'waits pending', how: 'terminate', loads: false }
  await Promise.all(nodes.map(node => endsClean(t, { ...run, node })))
})

for (const state of ['waits pending', 'waitSync']) {
  test.serial(`the addon stays mapped when the worker that alone loaded it ends with ${state}`, async t => {
    await Promise.all(nodes.map(node => staysMapped(t, node, state)))
  })

  for (const backend of backends) {
    test.serial(`a unit posted while a worker with ${state} is terminated stays (${backend})`, async t => {
      const run = { state, how: 'terminate, and post at once', backend }
      await Promise.all(nodes.map(node => endsClean(t, { ...run, node })))
    })
  }
}
