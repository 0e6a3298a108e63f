// The set in the kernel: the counter, and behind it the name. Two names with one key are an error.

import { readFileSync } from 'node:fs'

import type { ExecutionContext } from 'ava'

import { IpcError, list, Semaphore } from '../../index.js'
import { exists, keyOf, removeNamed, uniqueKey, uniqueName } from '../shared/names.ts'
import { c, go, python } from '../shared/peers.ts'
import { linux, requires } from '../shared/requires.ts'
import { ctypes, makeSet, type Operation, valuesOf } from '../shared/sets.ts'

interface Cases {
  collisions: [string, string, number][]
  minusOne: string[]
  vectors: [string, number][]
}
const cases: Cases = JSON.parse(readFileSync(new URL('fixtures/fnv-cases.json', import.meta.url), 'utf8'))

const MARK = 0x4f01

/** The record as the design describes it, written here again on purpose. */
function recordOf(name: string): number[] {
  const bits = [...Buffer.from(name)].map(byte => byte.toString(2).padStart(8, '0')).join('')
  const words = bits.match(/.{1,15}/g) ?? []
  return [MARK, Buffer.byteLength(name), ...words.map(word => Number.parseInt(word.padEnd(15, '0'), 2))]
}

/** The mark that makes a set look like one of this package. */
function recorded(name: string, value: number): Operation[] {
  return [value, ...recordOf(name)].map((add, at): Operation => [at, add]).filter(([, add]) => add !== 0)
}

requires(linux, ctypes)('a set holds the counter, the mark, the length and the name', t => {
  for (const suffix of ['', '.x', '-é日本🦀', '\u007f\u0001']) {
    const name = uniqueName(t, suffix)
    using semaphore = Semaphore.create(name, { initial: 7 })
    t.deepEqual(valuesOf(keyOf(name)), [7, ...recordOf(name)])
    semaphore.post(3)
    t.deepEqual(valuesOf(keyOf(name)), [10, ...recordOf(name)])
  }
})

requires(linux, ctypes)('the record of the longest name fits', t => {
  const name = uniqueName(t).padEnd(251, 'x')
  t.teardown(() => removeNamed(name))
  using semaphore = Semaphore.create(name, { initial: 0 })
  t.deepEqual(valuesOf(keyOf(name)), [0, ...recordOf(name)])
  t.is(semaphore.info().verified, true)
})

requires(linux, ctypes)('the set of a raw key has a record without a name', t => {
  const key = uniqueKey(t)
  using semaphore = Semaphore.create(key, { initial: 2 })
  t.deepEqual(valuesOf(key), [2, MARK, 0])
  t.true(semaphore.info().verified)
})

requires(linux, ctypes)('a valid record of another program is believed', t => {
  const name = uniqueName(t)
  makeSet(keyOf(name), recordOf(name).length + 1, { operations: recorded(name, 5) })
  using semaphore = Semaphore.open(name)
  t.like(semaphore.info(), { name, value: 5, verified: true })
})

requires(linux, ctypes)('a set with a damaged record opens unverified', t => {
  for (const damage of [
    [[1, MARK]],
    [
      [1, MARK],
      [2, 300],
    ],
    [
      [1, MARK],
      [2, 4],
      [3, 32_767],
      [4, 32_767],
      [5, 32_767],
    ],
    [
      [1, 0x4f02],
      [2, 4],
    ],
  ] as Operation[][]) {
    const name = uniqueName(t)
    makeSet(keyOf(name), 6, { operations: damage })
    using semaphore = Semaphore.open(name)
    t.like(semaphore.info(), { value: 0, verified: false })
    t.true(Semaphore.unlink(name))
  }
})

// ---- keys

requires(linux)('a name has the same key as in the Go library', t => {
  for (const [name, key] of cases.vectors) t.is(keyOf(name), key | 0)
  for (const suffix of ['', '.x', '-é', '-日本']) {
    const name = uniqueName(t, suffix)
    using semaphore = Semaphore.create(name, { initial: 1 })
    t.is(semaphore.info().key, keyOf(name))
  }
})

requires(linux).serial('the key -1 is a key like any other', t => {
  for (const name of cases.minusOne) {
    t.teardown(() => removeNamed(name))
    t.is(keyOf(name), -1)
    using made = Semaphore.create(name, { initial: 1 })
    using found = Semaphore.open(name)
    found.post()
    t.is(made.value, 2)
    t.is(made.info().key, -1)
    using raw = Semaphore.open(0xffff_ffff)
    t.is(raw.info().name, name)
    t.true(Semaphore.unlink(name))
  }
})

for (const peer of [go, c, python]) {
  requires(linux, peer)(`${peer.language} finds the semaphore by its own hash of the name`, async t => {
    for (const suffix of ['', '-é', '-日本', '.jobs']) {
      const name = uniqueName(t, suffix)
      using semaphore = Semaphore.create(name, { initial: 1 })
      await peer.run(t, 'sem-sysv', 'post', name, 41)
      t.is(semaphore.value, 42)
      t.is(await peer.run(t, 'key', name), String(semaphore.info().key))
    }
  })
}

// ---- two names, one key

for (const [one, other, key] of cases.collisions) {
  for (const [first, second] of [
    [one, other],
    [other, one],
  ] as const) {
    requires(linux).serial(`'${second}' is refused because '${first}' has its key`, t => {
      for (const name of [first, second]) t.teardown(() => removeNamed(name))
      t.is(keyOf(first), key | 0)
      t.is(keyOf(second), key | 0)
      using stranger = Semaphore.create(first, { initial: 3 })
      const collision = (use: () => unknown) => {
        const error = t.throws(use, { instanceOf: IpcError, code: 'ERR_NAME_COLLISION' }) as IpcError
        t.true(error.message.includes(`'${first}'`) && error.message.includes(`'${second}'`), error.message)
        t.is(error.hint, 'choose another name for one of the two')
      }
      collision(() => Semaphore.open(second))
      collision(() => Semaphore.openOrCreate(second, { initial: 1 }))
      collision(() => Semaphore.unlink(second))
      collision(() => Semaphore.create(second, { initial: 1 }))
      t.is(stranger.value, 3)
      t.true(exists('sem', keyOf(first)))
      t.deepEqual(
        list()
          .semaphores.filter(semaphore => semaphore.key === keyOf(first))
          .map(({ name }) => name),
        [first],
      )
      // POSIX semaphores have names, not keys.
      using apart = Semaphore.create(second, { initial: 1, backend: 'posix' })
      t.is(apart.value, 1)
      t.true(Semaphore.unlink(first))
      using free = Semaphore.create(second, { initial: 1 })
      t.true(free.created)
      mayGo(t, second)
    })
  }
}

function mayGo(t: ExecutionContext, name: string): void {
  t.true(Semaphore.unlink(name))
  t.true(Semaphore.unlink(name, { backend: 'posix' }))
}
