// Waits for ledgers: one thread serves all of them, in the order of tickets over all processes.

import { readdirSync } from 'node:fs'

import test, { type ExecutionContext } from 'ava'

import { Limit } from '../../index.js'
import { child } from '../shared/child.ts'
import { uniqueName } from '../shared/names.ts'
import { inspection, linux, requires } from '../shared/requires.ts'
import { withOpenFiles } from '../shared/surroundings.ts'
import { until } from '../shared/until.ts'
import type { NamedLimit } from './helpers/own.ts'
import { remote } from './helpers/remote.ts'
import { servedAs } from './helpers/served.ts'

const ledger = { engine: 'ledger' } as const

/** A ledger of this name that is closed and removed when the test ends. */
function ledgerOf(t: ExecutionContext, name: string, permits = 1): NamedLimit {
  const limit = Limit.create(name, { permits, ...ledger }) as NamedLimit
  t.teardown(() => {
    limit.close()
    Limit.unlink(name, ledger)
  })
  return limit
}

const held = (limit: Limit) => limit.tryAcquire() ?? Promise.reject(new Error('no permit is free'))

/** The inboxes of a process: the name of one ends with the pid and the start time, 8 hexadecimal digits each. */
function inboxesOf(pid: number): string[] {
  const inbox = new RegExp(`^os-ipc\\.wake\\..*${pid.toString(16).padStart(8, '0')}[0-9a-f]{8}$`)
  return readdirSync('/dev/shm').filter(name => inbox.test(name))
}

requires(linux)('waits for 1,000 ledgers at once take one thread, and all of them are served', async t => {
  const count = 1_000
  const prefix = uniqueName(t)
  const limits = Array.from({ length: count }, (_, index) => ledgerOf(t, `${prefix}${index}`))
  const permits = await Promise.all(limits.map(held))
  const waiter = child(t, 'limit/many-ledgers.ts', { args: [prefix, count] })
  t.deepEqual(await waiter.next(), { served: 0, more: 1, own: 1 })
  t.is(limits.filter(limit => limit.info().waiters === 1).length, count)
  for (const permit of permits) permit.release()
  waiter.send('collect')
  const { more, ...then } = (await waiter.next()) as { served: number; more: number }
  t.deepEqual(then, { served: count })
  t.true(more <= 1, 'the thread ends when it has had no work for a while')
  t.is(inboxesOf(waiter.pid).length, 1)
  waiter.send('end')
  t.is(await waiter.next(), 'closed')
  await waiter.exit
  t.deepEqual(inboxesOf(waiter.pid), [])
})

requires(inspection)('processes are served in the order in which they began to wait', async t => {
  await servedAs(t, [0, 1, 2, 3], serveFour)
})

async function serveFour(t: ExecutionContext): Promise<number[]> {
  const limit = ledgerOf(t, uniqueName(t))
  const permit = await held(limit)
  const waiters = Array.from({ length: 4 }, () => remote(t, 'open', limit.name, ledger))
  await Promise.all(waiters.map(waiter => waiter.opened))
  const order: number[] = []
  const served: Promise<void>[] = []
  for (const [index, waiter] of waiters.entries()) {
    served.push(
      (async () => {
        t.is(await waiter.call('acquire'), 1)
        order.push(index)
        await waiter.call('release')
      })(),
    )
    await until('it waits', () => limit.info().waiters === index + 1)
  }
  permit.release()
  await Promise.all(served)
  return order
}

requires(inspection)('a permit that is given back goes to a process that waits, not to its giver', t =>
  servedAs(t, ['waiter', 'giver'], serveAfterGiving),
)

async function serveAfterGiving(t: ExecutionContext): Promise<string[]> {
  const limit = ledgerOf(t, uniqueName(t))
  const permit = await held(limit)
  const waiter = remote(t, 'open', limit.name, ledger)
  const order: string[] = []
  const served = waiter.call('acquire').then(answer => {
    t.is(answer, 1)
    order.push('waiter')
    return waiter.call('release')
  })
  await until('it waits', () => limit.info().waiters === 1)
  permit.release()
  const next = limit.acquire().then(again => {
    order.push('giver')
    again.release()
  })
  await Promise.all([served, next])
  return order
}

requires(linux)('a stopped waiter is named and passed, and is served when it goes on', async t => {
  const limit = ledgerOf(t, uniqueName(t))
  const permit = await held(limit)
  const [first, second] = [remote(t, 'open', limit.name, ledger), remote(t, 'open', limit.name, ledger)]
  const firstServed = first.call('acquire')
  await until('the first waits', () => limit.info().waiters === 1)
  const secondServed = second.call('acquire')
  await until('both wait', () => limit.info().waiters === 2)
  first.child.kill('SIGSTOP')
  await until('it is named', () => limit.info().stopped?.includes(first.child.pid) === true)
  permit.release()
  t.is(await secondServed, 1)
  t.deepEqual(limit.info().holders, [{ pid: second.child.pid, permits: 1 }])
  first.child.kill('SIGCONT')
  await second.call('release')
  t.is(await firstServed, 1)
  t.deepEqual(limit.info().stopped, [])
})

requires(inspection)('the permit of a killed process goes to the process that waits', async t => {
  const limit = ledgerOf(t, uniqueName(t))
  for (let round = 0; round < 3; round += 1) {
    const holder = remote(t, 'open', limit.name, ledger)
    const waiter = remote(t, 'open', limit.name, ledger)
    t.is(await holder.call('acquire'), 1)
    const served = waiter.call('acquire')
    await until('it waits', () => limit.info().waiters === 1)
    holder.child.kill('SIGKILL')
    t.is(await served, 1)
    await waiter.call('release')
    waiter.child.kill('SIGKILL')
    await waiter.child.exit
  }
  t.like(limit.info(), { free: 1, waiters: 0, holders: [] })
})

requires(inspection)('a killed head of the line does not keep the next one waiting', async t => {
  const limit = ledgerOf(t, uniqueName(t))
  const permit = await held(limit)
  const [first, second] = [remote(t, 'open', limit.name, ledger), remote(t, 'open', limit.name, ledger)]
  first.call('acquire').catch(() => {})
  await until('the first waits', () => limit.info().waiters === 1)
  const served = second.call('acquire')
  await until('both wait', () => limit.info().waiters === 2)
  first.child.kill('SIGKILL')
  await first.child.exit
  permit.release()
  t.is(await served, 1)
})

requires(linux)('the inbox of a killed process is removed', async t => {
  const limit = ledgerOf(t, uniqueName(t))
  const permit = await held(limit)
  const waiter = remote(t, 'open', limit.name, ledger)
  waiter.call('acquire').catch(() => {})
  await until('it waits', () => limit.info().waiters === 1 && inboxesOf(waiter.child.pid).length === 1)
  const next = limit.acquire()
  waiter.child.kill('SIGKILL')
  permit.release()
  const again = await next
  again.release()
  await until('its inbox is gone', () => inboxesOf(waiter.child.pid).length === 0)
  t.is(limit.info().waiters, 0)
})

requires(linux, withOpenFiles(60))(
  'without a file descriptor, a wait is served and an open throws EMFILE with a hint',
  async t => {
    const prefix = uniqueName(t)
    const limit = ledgerOf(t, uniqueName(t))
    for (let index = 0; index < 60; index += 1) ledgerOf(t, `${prefix}${index}`)
    const permit = await held(limit)
    const waiter = child(t, 'limit/no-descriptors.ts', {
      args: [limit.name, prefix],
      within: [withOpenFiles(60)],
    })
    t.is(await waiter.next(), 'waits')
    permit.release()
    t.is(await waiter.next(), 'served')
    waiter.send('go on')
    const error = (await waiter.next()) as { code: string; hint: string }
    t.is(error.code, 'EMFILE')
    t.regex(error.hint, /ulimit -n/)
    await waiter.exit
  },
)

test('a wait for a removed ledger rejects with EIDRM', async t => {
  const limit = ledgerOf(t, uniqueName(t))
  const permit = await held(limit)
  const waiting = limit.acquire()
  Limit.unlink(limit.name, ledger)
  await t.throwsAsync(waiting, { code: 'EIDRM' })
  permit.release()
})
