// First come, first served inside a process; and the events that end all waits of a handle, or of a semaphore.

import test from 'ava'

import { Semaphore } from '../../index.js'
import { backends, type NamedSemaphore, ownSemaphore } from '../shared/backends.ts'
import { child } from '../shared/child.ts'
import { posixSemaphores, requires } from '../shared/requires.ts'
import { until } from '../shared/until.ts'

for (const backend of backends) {
  const another = (semaphore: NamedSemaphore) => Semaphore.open(semaphore.name, { backend })

  test(`units go to waits in their order, across calls and handles (${backend})`, async t => {
    const first = ownSemaphore(t, backend)
    const second = another(first)
    const order: number[] = []
    const waits = Array.from({ length: 100 }, async (_, i) => {
      const semaphore = i % 2 === 0 ? first : second
      if (i % 3 === 0) await semaphore.wait()
      else if (i % 3 === 1) await semaphore.wait({ signal: new AbortController().signal })
      else await semaphore.wait({ timeout: 60_000 })
      order.push(i)
    })
    for (let i = 0; i < waits.length; i++) {
      first.post()
      await Promise.all(waits.slice(0, i + 1))
    }
    t.deepEqual(order, [...Array(100).keys()])
    second.close()
  })

  test(`a wait does not overtake earlier waits, even when a unit is available (${backend})`, async t => {
    const semaphore = ownSemaphore(t, backend)
    for (let round = 0; round < 50; round++) {
      const order: string[] = []
      const first = semaphore.wait().then(() => order.push('first')) // its thread is not in the kernel yet
      semaphore.post()
      const second = semaphore.wait().then(() => order.push('second'))
      semaphore.post()
      await Promise.all([first, second])
      t.deepEqual(order, ['first', 'second'])
    }
  })

  test(`close() ends the waits of its handle and of no other (${backend})`, async t => {
    const semaphore = ownSemaphore(t, backend)
    const closing = another(semaphore)
    const theirs = Array.from({ length: 10 }, () => closing.wait())
    const other = Promise.all([semaphore.wait(), semaphore.wait({ timeout: 60_000 })])
    const closed = Promise.all(
      theirs.map(wait => t.throwsAsync(wait, { name: 'IpcError', code: 'ERR_CLOSED' })),
    )
    t.is(semaphore.info().pending, 12)
    closing.close()
    t.is(semaphore.info().pending, 2)
    await closed
    semaphore.post(2)
    await other
    t.is(semaphore.value, 0)
  })

  test(`a unit on its way to a closed handle goes to the next wait (${backend})`, async t => {
    const semaphore = ownSemaphore(t, backend)
    const closing = another(semaphore)
    const closed = t.throwsAsync(closing.wait(), { code: 'ERR_CLOSED' })
    const next = semaphore.wait()
    semaphore.post()
    while (semaphore.value > 0); // this thread collects no unit meanwhile
    closing.close()
    await closed
    await next
    t.is(semaphore.value, 0)
  })

  test(`a unit on its way to the only handle goes back when the handle closes (${backend})`, async t => {
    const semaphore = ownSemaphore(t, backend)
    const closing = another(semaphore)
    const closed = t.throwsAsync(closing.wait(), { code: 'ERR_CLOSED' })
    semaphore.post()
    while (semaphore.value > 0);
    closing.close()
    await closed
    await until('it is back', () => semaphore.value === 1)
  })

  test(`a wait after close() is refused (${backend})`, async t => {
    const semaphore = ownSemaphore(t, backend, 1)
    const closed = another(semaphore)
    closed.close()
    for (const wait of [() => closed.wait(), () => closed.wait({ timeout: 0 })]) {
      await t.throwsAsync(wait, { code: 'ERR_CLOSED' })
    }
    t.throws(() => closed.waitSync(), { code: 'ERR_CLOSED' })
    t.is(semaphore.value, 1)
  })

  test(`no wait is left behind while waits begin and end all the time (${backend})`, async t => {
    const semaphore = ownSemaphore(t, backend)
    for (let round = 0; round < 200; round++) {
      const controller = new AbortController()
      const aborted = semaphore.wait({ signal: controller.signal }).catch(() => {})
      if (round % 3 === 0) await new Promise(resolve => setImmediate(resolve))
      controller.abort()
      if (round % 2 === 0) semaphore.unref()
      const wait = semaphore.wait()
      semaphore.ref()
      semaphore.post()
      await Promise.all([aborted, wait])
    }
    t.is(semaphore.value, 0)
  })
}

test('unlink() ends 64 waits in 8 processes with EIDRM', async t => {
  const semaphore = ownSemaphore(t)
  const waiters = Array.from({ length: 8 }, () =>
    child(t, 'waiting/wait-for-removal.ts', { args: [semaphore.name, 8] }),
  )
  await Promise.all(waiters.map(waiter => waiter.until('waiting')))
  await until('all wait', () => semaphore.info().waiters === 8)
  semaphore.unlink()
  for (const waiter of waiters) {
    t.deepEqual(await waiter.next(), Array(8).fill('EIDRM'))
    t.deepEqual(await waiter.next(), Array(4).fill('EIDRM')) // and every later call
    t.is((await waiter.exit).code, 0)
  }
})

test('a removed semaphore refuses every wait with EIDRM, also when a successor has its name', async t => {
  const semaphore = ownSemaphore(t)
  const pending = t.throwsAsync(semaphore.wait(), { code: 'EIDRM' })
  Semaphore.unlink(semaphore.name)
  await pending
  const successor = Semaphore.create(semaphore.name, { initial: 5 })
  for (const wait of [() => semaphore.wait(), () => semaphore.wait({ timeout: 9 })]) {
    const error = await t.throwsAsync(wait, { name: 'IpcError', code: 'EIDRM' })
    t.like(
      error,
      process.platform === 'win32' ? { syscall: 'CreateMutex' } : { errno: -43, syscall: 'semop' },
    )
  }
  t.throws(() => semaphore.waitSync(), { code: 'EIDRM' })
  t.throws(() => semaphore.waitSync({ timeout: 10 }), { code: 'EIDRM' })
  t.is(successor.value, 5)
  successor.close()
})

requires(posixSemaphores)('a POSIX semaphore without its name still serves its waiters', async t => {
  const semaphore = ownSemaphore(t, 'posix')
  const other = Semaphore.open(semaphore.name, { backend: 'posix' })
  const wait = semaphore.wait()
  semaphore.unlink()
  other.post()
  await wait
  t.is(other.value, 0)
  other.close()
})
