// A signal is the program's own code: a bad one is refused, or ends its own wait and no other.

import { setTimeout as sleep } from 'node:timers/promises'
import { runInNewContext } from 'node:vm'

import test from 'ava'

import { locks, type Semaphore } from '../../index.js'
import { hold } from '../lock/helpers/hold.ts'
import { backends, ownSemaphore } from '../shared/backends.ts'
import { uniqueName } from '../shared/names.ts'
import { until } from '../shared/until.ts'

/** A signal with only the members that a wait uses. */
function fake(parts: object = {}): AbortSignal {
  return {
    aborted: false,
    addEventListener() {},
    removeEventListener() {},
    ...parts,
  } as unknown as AbortSignal
}

function thrower(): never {
  throw new Error('mine')
}

const NO_SIGNALS: Record<string, unknown> = {
  null: null,
  'a number': 1,
  'an empty object': {},
  'aborted alone': { aborted: false },
  'no removeEventListener': { aborted: false, addEventListener() {} },
  'no addEventListener': { aborted: false, removeEventListener() {} },
  'aborted is not a boolean': { aborted: 0, addEventListener() {}, removeEventListener() {} },
  'an EventTarget': new EventTarget(),
}

/** Signals that fail where a wait begins: the call rejects with their error. */
const FAIL_AT_ONCE: Record<string, () => AbortSignal> = {
  'aborted throws': () => Object.defineProperty(fake(), 'aborted', { get: thrower }),
  'addEventListener throws': () => fake({ addEventListener: thrower }),
  'addEventListener adds, then throws': () => {
    const { signal } = new AbortController()
    return fake({
      addEventListener(...args: Parameters<AbortSignal['addEventListener']>) {
        signal.addEventListener(...args)
        thrower()
      },
    })
  },
}

/** Signals that fail where a wait ends. */
const FAIL_LATER: Record<string, () => AbortSignal> = {
  'removeEventListener throws': () => fake({ removeEventListener: thrower }),
  'removeEventListener of a real signal throws': () =>
    Object.assign(new AbortController().signal, { removeEventListener: thrower }),
  'a subclass of EventTarget': () =>
    new (class extends EventTarget {
      aborted = false
    })() as AbortSignal,
}

const waitsOf = (semaphore: Semaphore) => ({
  wait: (signal: unknown) => semaphore.wait({ signal: signal as AbortSignal }),
  'wait with a timeout': (signal: unknown) =>
    semaphore.wait({ signal: signal as AbortSignal, timeout: 60_000 }),
})

for (const backend of backends) {
  test(`a value that is not a signal is refused, and no ticket stays (${backend})`, async t => {
    const semaphore = ownSemaphore(t, backend)
    for (const [what, value] of Object.entries(NO_SIGNALS)) {
      for (const wait of Object.values(waitsOf(semaphore))) {
        await t.throwsAsync(wait(value), { instanceOf: TypeError, code: 'ERR_INVALID_ARG_TYPE' }, what)
      }
    }
    t.is(semaphore.info().pending, 0)
  })

  for (const [what, make] of Object.entries(FAIL_AT_ONCE)) {
    test(`a signal that fails at once leaves no ticket: ${what} (${backend})`, async t => {
      const semaphore = ownSemaphore(t, backend)
      for (const wait of Object.values(waitsOf(semaphore))) {
        await t.throwsAsync(wait(make()), { message: 'mine' })
      }
      t.is(semaphore.info().pending, 0)
      semaphore.post()
      await sleep(20)
      await until('no wait has the unit', () => semaphore.value === 1)
    })
  }

  for (const [what, make] of Object.entries(FAIL_LATER)) {
    test(`a signal that fails later withholds no unit from other waits: ${what} (${backend})`, async t => {
      const semaphore = ownSemaphore(t, backend)
      const waits = Array.from({ length: 5 }, (_, index) =>
        semaphore.wait(index === 2 ? { signal: make() } : {}),
      )
      semaphore.post(5)
      await Promise.all(waits)
      t.is(semaphore.value, 0)
      const more = Array.from({ length: 5 }, (_, index) =>
        semaphore.wait(index === 2 ? { signal: make() } : {}),
      )
      semaphore.close()
      for (const wait of more) await t.throwsAsync(wait, { code: 'ERR_CLOSED' })
    })
  }

  test(`a signal that aborts another wait in the middle of a batch loses no unit (${backend})`, async t => {
    const semaphore = ownSemaphore(t, backend)
    const other = new AbortController()
    const first = semaphore.wait({ signal: fake({ removeEventListener: () => other.abort() }) })
    const second = semaphore.wait({ signal: other.signal })
    semaphore.post(2)
    await first
    // If the units come one after the other, the second wait is aborted, and its unit is left.
    const units = await second.then(
      () => 1,
      () => 0,
    )
    await until('every unit is somewhere', () => semaphore.value === 1 - units)
    t.is(semaphore.info().pending, 0)
  })

  test(`a signal that closes the semaphore in addEventListener ends the wait (${backend})`, async t => {
    const semaphore = ownSemaphore(t, backend)
    const wait = semaphore.wait({ signal: fake({ addEventListener: () => semaphore.close() }) })
    await t.throwsAsync(wait, { code: 'ERR_CLOSED' })
  })

  test(`an error of reading the reason becomes the reason (${backend})`, async t => {
    const semaphore = ownSemaphore(t, backend)
    const controller = new AbortController()
    Object.defineProperty(controller.signal, 'reason', { get: thrower })
    const wait = semaphore.wait({ signal: controller.signal })
    controller.abort()
    await t.throwsAsync(wait, { message: 'mine' })
    t.is(semaphore.info().pending, 0)
  })

  test(`a signal of another realm ends a wait (${backend})`, async t => {
    const semaphore = ownSemaphore(t, backend)
    const signal = runInNewContext(
      `new (class { aborted = false; addEventListener(_, listener) { this.listener = listener } removeEventListener() {} })()`,
    )
    const wait = semaphore.wait({ signal })
    signal.reason = 'enough'
    signal.listener.handleEvent()
    t.is(await wait.catch((reason: unknown) => reason), 'enough')
    t.is(semaphore.info().pending, 0)
  })
}

test('a bad signal blocks no lock', async t => {
  const name = uniqueName(t)
  for (const value of Object.values(NO_SIGNALS)) {
    const signal = value as AbortSignal
    await t.throwsAsync(
      locks.request(name, { signal }, () => {}),
      { code: 'ERR_INVALID_ARG_TYPE' },
    )
  }
  const release = await hold(locks, name)
  for (const make of Object.values(FAIL_AT_ONCE)) {
    await t.throwsAsync(
      locks.request(name, { signal: make() }, () => {}),
      { message: 'mine' },
    )
  }
  const odd = Object.values(FAIL_LATER).map(make => locks.request(name, { signal: make() }, () => 'had it'))
  const last = locks.request(name, () => 'last')
  await release()
  for (const request of odd) t.is(await request, 'had it')
  t.is(await last, 'last')
})
