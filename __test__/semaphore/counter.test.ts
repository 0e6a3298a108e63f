// The counter of a POSIX semaphore, against programs that count in it with the C library.

import { once } from 'node:events'
import { closeSync, openSync, writeSync } from 'node:fs'
import { Worker } from 'node:worker_threads'

import { Semaphore, SharedMemory } from '../../index.js'
import { child } from '../shared/child.ts'
import { uniqueName } from '../shared/names.ts'
import { linux, posixSemaphores, probe } from '../shared/needs.ts'
import { answer, c, python } from '../shared/peers.ts'
import { requires } from '../shared/requires.ts'

const glibc = probe('needs glibc', () => {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } }
  return header.glibcVersionRuntime !== undefined
})

const MANY = 100

for (const peer of [c, python]) {
  requires(peer)(
    `under contention one process is inside at a time and every process gets in (${peer.language})`,
    async t => {
      const [ours, theirs] = [20_000, peer === c ? 100_000 : 20_000]
      const name = uniqueName(t)
      using memory = SharedMemory.create(name, { size: 8 })
      // The semaphore has no unit until all processes are ready.
      using semaphore = Semaphore.create(name, { initial: 0, backend: 'posix' })
      const fixtures = ['try', 'wait'].map(how =>
        child(t, 'semaphore/guarded.ts', { args: [name, String(ours), how], limit: 100_000 }),
      )
      for (const fixture of fixtures) t.is(await fixture.next(), 'ready')
      const rivals = [1, 2].map(() =>
        peer.start(t, ['sem-posix', 'guarded', name, theirs], { limit: 100_000 }),
      )
      for (const fixture of fixtures) fixture.send('go')
      semaphore.post()
      for (const fixture of fixtures) t.is(await fixture.next(), 'done')
      for (const rival of rivals) t.is(await answer(rival), 'ok')
      t.is(new Int32Array(memory.buffer)[0], 2 * ours + 2 * theirs)
      t.is(semaphore.value, 1)
    },
  )

  requires(peer)(`a peer that sleeps is woken by a unit (${peer.language})`, async t => {
    const name = uniqueName(t)
    using semaphore = Semaphore.create(name, { initial: 1, backend: 'posix' })
    for (let index = 0; index < MANY; index += 1) {
      t.true(semaphore.tryWait())
      semaphore.post()
    }
    t.true(semaphore.tryWait())
    for (let index = 0; index < 3; index += 1) {
      const waiter = peer.start(t, ['sem-posix', 'wait', name, 30_000])
      // Python starts within this time; a peer that does not sleep yet takes the unit as well.
      await new Promise(resolve => setTimeout(resolve, 200))
      semaphore.post()
      t.is(await answer(waiter), 'ok')
      t.is(semaphore.value, 0)
    }
  })
}

requires(posixSemaphores)('a post to a full counter throws, and tryWait of an empty one returns false', t => {
  const name = uniqueName(t)
  using semaphore = Semaphore.create(name, { initial: 0, backend: 'posix' })
  for (let index = 0; index < MANY; index += 1) t.false(semaphore.tryWait())
  for (let index = 0; index < MANY; index += 1) semaphore.post()
  t.is(semaphore.value, MANY)
  for (let index = 0; index < MANY; index += 1) t.true(semaphore.tryWait())
  t.false(semaphore.tryWait())
})

requires(posixSemaphores)(
  'handles of one semaphore share its counter, and a closed handle refuses to count',
  t => {
    const name = uniqueName(t)
    using first = Semaphore.create(name, { initial: 0, backend: 'posix' })
    const second = Semaphore.open(name, { backend: 'posix' })
    for (let index = 0; index < MANY; index += 1) {
      first.post()
      t.true(second.tryWait())
    }
    second.close()
    t.throws(() => second.tryWait(), { code: 'ERR_CLOSED' })
    t.throws(() => second.post(), { code: 'ERR_CLOSED' })
    first.post()
    t.is(first.value, 1)
  },
)

requires(posixSemaphores)('a post wakes a wait of this process', async t => {
  const name = uniqueName(t)
  using semaphore = Semaphore.create(name, { initial: 0, backend: 'posix' })
  for (let index = 0; index < MANY; index += 1) {
    const wait = semaphore.wait({ timeout: 15_000 })
    semaphore.post()
    await wait
  }
  t.is(semaphore.value, 0)
})

requires(posixSemaphores)('an unlinked semaphore still counts for the handles that have it open', t => {
  const name = uniqueName(t)
  using first = Semaphore.create(name, { initial: 0, backend: 'posix' })
  using second = Semaphore.open(name, { backend: 'posix' })
  for (let index = 0; index < MANY; index += 1) first.post()
  first.unlink()
  using other = Semaphore.create(name, { initial: 0, backend: 'posix' })
  for (let index = 0; index < MANY; index += 1) t.true(second.tryWait())
  first.post()
  t.is(second.value, 1)
  t.is(other.value, 0)
})

requires(glibc)('the counter holds the largest number that C allows', t => {
  const name = uniqueName(t)
  using semaphore = Semaphore.create(name, { initial: 0, backend: 'posix' })
  for (let index = 0; index < MANY; index += 1) semaphore.post()
  // The largest semaphore of glibc and musl.
  const top = 2 ** 31 - 1
  const file = openSync(`/dev/shm/sem.${name.slice(1)}`, 'r+')
  writeSync(file, Int32Array.of(top - 1), 0, 4, 0)
  closeSync(file)
  semaphore.post()
  t.is(semaphore.value, top)
  t.throws(() => semaphore.post(), { code: 'EOVERFLOW' })
  t.is(semaphore.value, top)
  t.true(semaphore.tryWait())
  t.is(semaphore.value, top - 1)
})

requires(linux)(
  'a POSIX post adds at most 1,000,000 units, so that it blocks the thread for milliseconds',
  t => {
    using semaphore = Semaphore.create(uniqueName(t), { initial: 0, backend: 'posix' })
    for (const count of [1_000_001, 2 ** 31 - 1]) {
      t.throws(() => semaphore.post(count), { instanceOf: RangeError, code: 'ERR_OUT_OF_RANGE' })
    }
    t.is(semaphore.value, 0)
    semaphore.post(1_000_000)
    t.is(semaphore.value, 1_000_000)
  },
)

requires(posixSemaphores)(
  'workers that are terminated while they count neither lose nor double a unit, and wake the waiters',
  async t => {
    const name = uniqueName(t)
    using semaphore = Semaphore.create(name, { initial: 1, backend: 'posix' })
    const fixture = new URL('fixtures/count-in-worker.ts', import.meta.url)
    for (let round = 0; round < 30; round += 1) {
      const worker = new Worker(fixture, { workerData: name })
      await once(worker, 'message')
      // The worker takes the unit and puts it back all the time, so that this thread waits for it in the kernel again and again.
      for (let turn = 0; turn < 5; turn += 1) {
        await semaphore.wait({ timeout: 30_000 })
        semaphore.post()
      }
      await worker.terminate()
      // A worker that is terminated with the unit keeps it, as a process that dies does: a semaphore has no undo.
      if (semaphore.value === 0) semaphore.post()
      t.is(semaphore.value, 1)
    }
  },
)

const CALLS = ['tryWait', 'post', 'post many', 'wait', 'waitSync', 'value', 'info']

for (const when of ['opened', 'not opened yet']) {
  requires(glibc)(`a semaphore that another program overwrote aborts no process (${when})`, async t => {
    const outcomes = new Map<string, unknown>()
    for (const bytes of ['sharing', '0xff', '0x01']) {
      for (const call of CALLS) {
        const name = uniqueName(t)
        using semaphore = Semaphore.create(name, { initial: 0, backend: 'posix' })
        const fixture = child(t, 'semaphore/written-over.ts', { args: [name, call, bytes, when] })
        outcomes.set(`${bytes} ${call}`, await fixture.next())
        t.like(await fixture.exit, { code: 0, signal: null, stderr: '' }, `${bytes} ${call}`)
        semaphore.unlink()
      }
    }
    // glibc aborts a process that waits on a futex whose sharing flag is not the one that glibc wrote.
    for (const call of ['post', 'post many', 'wait', 'waitSync'])
      t.is(outcomes.get(`sharing ${call}`), 'EINVAL', call)
    for (const call of ['tryWait', 'value', 'info']) t.is(outcomes.get(`0x01 ${call}`), 'returned', call)
  })
}
