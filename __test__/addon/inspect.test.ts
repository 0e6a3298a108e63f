// console.log of an object shows what a person wants to know.

import { inspect } from 'node:util'

import test from 'ava'

import { Limit, locks, Permit, Semaphore, SharedMemory } from '../../index.js'
import { backends } from '../shared/backends.ts'
import { uniqueKey, uniqueName } from '../shared/names.ts'
import { inspection, linux, requires } from '../shared/requires.ts'

const shown = (value: unknown, options = {}) => inspect(value, { breakLength: Infinity, ...options })

test('a semaphore shows its name, value and waits, and whether it is closed', async t => {
  const name = uniqueName(t)
  const backend = backends.at(-1)
  const semaphore = Semaphore.create(name, { initial: 3, backend })
  t.regex(
    shown(semaphore),
    new RegExp(
      `^Semaphore \\{ name: '${name}', backend: '${backend}', value: 3, (waiters: 0, )?pending: 0 \\}$`,
    ),
  )
  t.is(shown([[semaphore]], { depth: 1 }), '[ [ [Semaphore] ] ]')
  t.regex(shown({ a: semaphore }, { depth: 3 }), /^\{ a: Semaphore \{ name: /)
  semaphore.close()
  t.is(shown(semaphore), `Semaphore { name: '${name}', backend: '${backend}', closed: true }`)
})

requires(linux)('a semaphore with a raw key shows the key, and whether it was removed', t => {
  const key = uniqueKey(t)
  using semaphore = Semaphore.create(key, { initial: 1 })
  t.is(shown(semaphore), `Semaphore { backend: 'sysv', key: ${key}, value: 1, waiters: 0, pending: 0 }`)
  semaphore.unlink()
  t.is(shown(semaphore), "Semaphore { backend: 'sysv', removed: true }")
})

requires(inspection)('a limit shows its permits and their holders; a permit, its limit', t => {
  const name = uniqueName(t)
  using limit = Limit.create(name, { permits: 2 })
  const permit = limit.acquireSync()
  t.is(
    shown(limit),
    `Limit { name: '${name}', engine: '${limit.engine}', permits: 2, free: 1, holders: [ { pid: ${process.pid}, permits: 1 } ], waiters: 0, pending: 0 }`,
  )
  t.is(shown(permit), `Permit { limit: '${name}', released: false }`)
  permit.release()
  t.is(shown(permit), `Permit { limit: '${name}', released: true }`)
})

test('memory shows its name and size, and none of its bytes', t => {
  const name = uniqueName(t)
  const memory = SharedMemory.create(name, { size: 4096 })
  t.is(
    shown(memory),
    `SharedMemory { kind: '${memory.kind}', name: '${name}', size: 4096, readOnly: false${attached(memory)} }`,
  )
  memory.close()
  t.is(
    shown(memory),
    `SharedMemory { kind: '${memory.kind}', name: '${name}', size: 4096, readOnly: false, closed: true }`,
  )
})

function attached(memory: SharedMemory): string {
  const { attached: count } = memory.info()
  return count === undefined ? '' : `, attached: ${count}`
}

test('a lock and its manager have the names of the DOM, and the lock shows its name and mode', async t => {
  const name = uniqueName(t).slice(1)
  await locks.request(name, { mode: 'shared' }, lock => {
    t.is(shown(lock), `Lock { name: '${name}', mode: 'shared' }`)
    t.is(lock?.name, name)
    t.is(lock?.constructor.name, 'Lock')
    t.is(String(lock), '[object Lock]')
    const keys: string[] = []
    for (const key in lock) keys.push(key)
    t.deepEqual(keys, ['name', 'mode'])
  })
  t.is(locks.constructor.name, 'LockManager')
  t.is(String(locks), '[object LockManager]')
  t.is(shown(locks), 'LockManager {}')
})

test('a prototype can be shown', t => {
  for (const { prototype, name } of [Semaphore, Limit, SharedMemory, Permit])
    t.is(shown(prototype), `${name} {}`)
})
