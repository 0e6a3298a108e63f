// Files of ledgers that another program wrote to: an error or an answer, never a crash, a hang or a permit too many.

import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'

import type { ExecutionContext } from 'ava'
import fc from 'fast-check'

import { IpcError, Limit, list, type Permit } from '../../index.js'
import { ledgerOf, uniqueName } from '../shared/names.ts'
import { linux, requires } from '../shared/requires.ts'
import { asUser } from '../shared/surroundings.ts'
import { until } from '../shared/until.ts'
import { freeOf, ownLimit } from './helpers/own.ts'
import { remote } from './helpers/remote.ts'

const ledger = { engine: 'ledger' } as const
const test = requires(linux)

// The layout, written a second time on purpose: bytes of the header and of a slot, and the words of the header.
const [HEADER, SLOT, SLOTS] = [320, 24, 1024]
const SIZE = HEADER + SLOT * SLOTS
const WORDS = [0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60, 64]
const TOTAL = 36

const word = (from: number, bytes: number) => fc.nat(bytes / 4 - 1).map(index => from + 4 * index)

/** A word of the file and its new value: often one of the header or of the first slots, often a limit of its type. */
const change = fc.record({
  at: fc.oneof(
    fc.constantFrom(...WORDS),
    word(0, HEADER),
    word(HEADER, 8 * SLOT),
    word(HEADER, SLOTS * SLOT),
  ),
  value: fc.oneof(
    fc.constantFrom(0, 1, 2, 3, 0x7fff, 0x8000, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xffff_ffff),
    fc.nat(0xffff_ffff),
  ),
})
const changes = fc.array(change, { minLength: 1, maxLength: 12 })

type Change = typeof change extends fc.Arbitrary<infer Value> ? Value : never

function apply(file: string, writes: readonly Change[]): void {
  const [fd, bytes] = [openSync(file, 'r+'), Buffer.alloc(4)]
  for (const { at, value } of writes) {
    bytes.writeUInt32LE(value)
    writeSync(fd, bytes, 0, 4, at)
  }
  closeSync(fd)
}

/** The errors of a ledger that the documentation names, but those of its host. */
const CODES = new Set([
  ...['ENOENT', 'EEXIST', 'EIDRM', 'EBUSY', 'ETIMEDOUT', 'ERR_NOT_AN_OBJECT', 'ERR_WRONG_KIND'],
  ...['ERR_NAME_COLLISION', 'ERR_NOT_SUPPORTED', 'ERR_TRUNCATED', 'ERR_NO_SLOT', 'ERR_INVALID_ARG_VALUE'],
])

/** What a call returns; `undefined` if it throws one of the errors that it may throw. */
async function attempt<T>(t: ExecutionContext, act: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await act()
  } catch (error) {
    t.true(error instanceof IpcError && CODES.has(error.code), `${error}`)
    return undefined
  }
}

/** Makes each call of a limit; it never gets more than `most` permits. */
async function useAll(t: ExecutionContext, limit: Limit, most: number): Promise<void> {
  const taken: Permit[] = []
  const enough = Math.min(most, 50)
  for (;;) {
    const permit = await attempt(t, () => limit.tryAcquire())
    if (!permit) break
    taken.push(permit)
    t.true(taken.length <= most, `${taken.length} of ${most} permits`)
    if (taken.length > enough) break
  }
  await attempt(t, () => limit.info())
  // A limit gets smaller in steps: a debug build takes long for the largest number.
  const isSmall = Number(await attempt(t, () => limit.permits)) <= 1_000
  const waits = [
    attempt(t, () => limit.acquire({ timeout: 5 })),
    isSmall ? attempt(t, () => limit.resize(1, { timeout: 5 })) : undefined,
  ]
  await attempt(t, () => limit.acquireSync({ timeout: 2 }).release())
  for (const permit of taken) permit.release()
  const [late] = await Promise.all(waits)
  late?.release()
  // Nonsense can say that this process holds permits, which never come back.
  await attempt(t, () => limit.resize(3, { timeout: 100 }))
  await attempt(t, () => list().limits)
}

test('a file with nonsense is opened or refused, and gives out no permit too many', async t => {
  const name = uniqueName(t)
  const file = ledgerOf(name)
  Limit.create(name, { permits: 2, ...ledger }).close()
  const sound = readFileSync(file)
  const opened = fc.asyncProperty(changes, async writes => {
    writeFileSync(file, sound, { mode: 0o600 })
    apply(file, writes)
    const most = readFileSync(file).readUInt32LE(TOTAL)
    const limit = await attempt(t, () => Limit.open(name))
    if (limit !== undefined) await useAll(t, limit, most)
    const made = await attempt(t, () => Limit.create(name, { permits: 2, ...ledger }))
    made?.close()
    limit?.close()
    await attempt(t, () => Limit.unlink(name, ledger))
    rmSync(file, { force: true })
  })
  await fc.assert(opened, { numRuns: 100 })
})

test('nonsense that is written while a limit is in use is an error or an answer', async t => {
  const inUse = fc.asyncProperty(changes, async writes => {
    const name = uniqueName(t)
    const limit = Limit.create(name, { permits: 2, ...ledger })
    const permits = [limit.tryAcquire(), limit.tryAcquire()]
    const waiting = attempt(t, () => limit.acquire({ timeout: 20 }))
    apply(ledgerOf(name), writes)
    await useAll(t, limit, 0xffff_ffff)
    for (const permit of permits) permit?.release()
    ;(await waiting)?.release()
    limit.close()
    await attempt(t, () => Limit.unlink(name, ledger))
    rmSync(ledgerOf(name), { force: true })
  })
  await fc.assert(inUse, { numRuns: 60 })
})

test('nonsense in place of a whole file is refused', async t => {
  const name = uniqueName(t)
  const file = ledgerOf(name)
  const refused = fc.asyncProperty(fc.uint8Array({ maxLength: 2 * SIZE, size: 'max' }), async bytes => {
    for (const start of ['', 'OSIL\u0001\0\0\0']) {
      writeFileSync(file, Buffer.concat([Buffer.from(start), bytes]))
      for (const use of [() => Limit.open(name), () => Limit.unlink(name, ledger)]) {
        const error = t.throws(use, { instanceOf: IpcError }) as IpcError
        t.regex(error.code, /^ERR_(?:NOT_AN_OBJECT|WRONG_KIND|NAME_COLLISION)$/)
      }
      list()
    }
  })
  await fc.assert(refused, { numRuns: 50 })
})

for (const size of [0, 1, 100, HEADER, 4096, SIZE - 1]) {
  for (const again of [false, true]) {
    const what = again ? `to ${size} bytes, and makes it larger again,` : `to ${size} bytes`
    test(`a peer that truncates the file ${what} ends no process`, async t => {
      const name = uniqueName(t)
      const limit = ownLimitOf(t, name)
      const permit = limit.tryAcquire()
      const other = remote(t, 'open', name)
      await other.opened
      const there = other.call('acquire', { timeout: 60_000 })
      await until('it waits', () => limit.info().waiters === 1)
      const here = attempt(t, () => limit.acquire({ timeout: 1_500 }))
      truncateSync(ledgerOf(name), size)
      if (again) truncateSync(ledgerOf(name), SIZE)
      permit?.release()
      await useAll(t, limit, 0xffff_ffff)
      ;(await here)?.release()
      const answer = (await there) as number | { code: string }
      if (typeof answer === 'object') t.true(CODES.has(answer.code), answer.code)
      t.is(await other.call('pid'), other.child.pid)
      // Only an intact header has a limit.
      if (size < HEADER && !again) t.throws(() => Limit.open(name), { code: 'ERR_NOT_AN_OBJECT' })
      rmSync(ledgerOf(name), { force: true })
    })
  }
}

function ownLimitOf(t: ExecutionContext, name: string): Limit {
  const limit = Limit.create(name, { permits: 1, ...ledger })
  t.teardown(() => limit.close())
  return limit
}

test('a file that is put in the place of a limit in use is not touched by its users', async t => {
  const limit = ownLimit(t, 1, ledger)
  const file = ledgerOf(limit.name)
  const other = remote(t, 'open', limit.name)
  t.is(await other.call('acquire'), 1)
  writeFileSync(`${file}.other`, 'precious')
  renameSync(`${file}.other`, file)
  t.is(limit.tryAcquire(), null, 'the users keep the limit')
  const waiting = limit.acquire({ timeout: 30_000 })
  t.throws(() => Limit.open(limit.name), { code: 'ERR_NOT_AN_OBJECT' })
  t.is(await other.call('release'), 'done')
  ;(await waiting).release()
  limit.unlink()
  t.throws(() => limit.permits, { code: 'EIDRM' })
  t.is(readFileSync(file, 'utf8'), 'precious')
})

const [one, two] = [asUser(65_531), asUser(65_532)]
requires(
  linux,
  one,
  two,
)(
  'the permit of a killed process comes back to processes of two other users, in a limit of mode 666',
  async t => {
    const limit = ownLimit(t, 1, { mode: 0o666, ...ledger })
    t.is(statSync(ledgerOf(limit.name)).mode & 0o777, 0o666)
    const holder = remote(t, 'open', limit.name, { owner: 0 }, { within: [one] })
    t.is(await holder.call('acquire'), 1)
    const waiter = remote(t, 'open', limit.name, { owner: 0 }, { within: [two] })
    await waiter.opened
    const served = waiter.call('acquire')
    await until('it waits', () => limit.info().waiters === 1)
    const here = limit.acquire({ timeout: 30_000 })
    t.deepEqual(limit.info().holders, [{ pid: holder.child.pid, permits: 1 }])
    holder.child.kill('SIGKILL')
    const servedHere = here.then(permit => permit.release())
    t.is(await served, 1)
    t.deepEqual(limit.info().holders, [{ pid: waiter.child.pid, permits: 1 }])
    waiter.child.kill('SIGKILL')
    await Promise.all([servedHere, waiter.child.exit])
    t.is(freeOf(limit), 1)
    limit.unlink()
    t.false(existsSync(ledgerOf(limit.name)))
  },
)
