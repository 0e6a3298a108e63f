// A timeout is never early, ends the wait with ETIMEDOUT, and is not disturbed by signals.

import { setTimeout as sleep } from 'node:timers/promises'

import test, { type ExecutionContext } from 'ava'

import { Semaphore } from '../../index.js'
import { type Backend, backends, ownSemaphore } from '../shared/backends.ts'
import { type Child, child } from '../shared/child.ts'
import { type NodeBinary, nodes } from '../shared/nodes.ts'
import { requires, signals } from '../shared/requires.ts'
import { until } from '../shared/until.ts'

const ETIMEDOUT = {
  name: 'IpcError',
  code: 'ETIMEDOUT',
  message: /no unit of the semaphore '.*' came in time/,
}

for (const backend of backends) {
  test(`a timeout is never early (${backend})`, async t => {
    const semaphore = ownSemaphore(t, backend)
    const timeouts = [0, 0.5, 1, 1.9, 5, 20, 50.7]
    for (let round = 0; round < 5; round++) {
      // A timer counts from the loop's last reading of the clock, and this makes that reading old.
      for (const busy = performance.now() + 30; performance.now() < busy; );
      await Promise.all(
        timeouts.map(async timeout => {
          const start = performance.now()
          await t.throwsAsync(semaphore.wait({ timeout }), ETIMEDOUT)
          t.true(performance.now() - start >= timeout, `${timeout}`)
        }),
      )
      for (const timeout of timeouts) {
        const start = performance.now()
        t.throws(() => semaphore.waitSync({ timeout }), ETIMEDOUT)
        t.true(performance.now() - start >= timeout, `${timeout}, waitSync`)
      }
    }
    t.is(semaphore.info().pending, 0)
  })

  test(`a timeout of 0 takes an available unit, and never waits (${backend})`, async t => {
    const semaphore = ownSemaphore(t, backend, 3)
    await semaphore.wait({ timeout: 0 })
    await semaphore.wait({ timeout: 0 })
    semaphore.waitSync({ timeout: 0 })
    t.is(semaphore.value, 0)
    await t.throwsAsync(semaphore.wait({ timeout: 0 }), ETIMEDOUT)
    t.throws(() => semaphore.waitSync({ timeout: 0 }), ETIMEDOUT)
    t.is(semaphore.value, 0)
  })

  test(`a wait with a timeout longer than any timer goes on (${backend})`, async t => {
    const semaphore = ownSemaphore(t, backend)
    const warnings: Error[] = []
    const warned = (warning: Error) => warnings.push(warning) // TimeoutOverflowWarning
    process.on('warning', warned)
    t.teardown(() => process.off('warning', warned))
    const timeouts = [2 ** 31 - 1, 2 ** 31, 2 ** 32 + 5, 1e15, Number.MAX_SAFE_INTEGER, Number.MAX_VALUE]
    const waits = timeouts.map(timeout => semaphore.wait({ timeout }))
    await sleep(50)
    t.is(semaphore.info().pending, timeouts.length)
    semaphore.post(timeouts.length)
    await Promise.all(waits)
    t.is(semaphore.value, 0)
    t.deepEqual(warnings, [])
  })

  test(`a waitSync with a timeout longer than any clock goes on (${backend})`, async t => {
    const semaphore = ownSemaphore(t, backend)
    for (const timeout of [2 ** 31, 1e15, Number.MAX_VALUE]) {
      const poster = child(t, 'waiting/post-when-waited.ts', { args: [backend, semaphore.name] })
      t.is(await poster.next(), 'ready')
      semaphore.waitSync({ timeout })
      t.is(semaphore.value, 0)
      await poster.exit
    }
  })

  test(`an invalid timeout is refused before any unit is taken (${backend})`, async t => {
    const semaphore = ownSemaphore(t, backend, 1)
    for (const timeout of [Number.NaN, -1, Number.NEGATIVE_INFINITY, -0.1]) {
      const expected = { instanceOf: RangeError, code: 'ERR_OUT_OF_RANGE' }
      await t.throwsAsync(semaphore.wait({ timeout }), expected)
      t.throws(() => semaphore.waitSync({ timeout }), expected)
    }
    for (const timeout of ['5', 5n, null, {}, true] as unknown as number[]) {
      const expected = { instanceOf: TypeError, code: 'ERR_INVALID_ARG_TYPE' }
      await t.throwsAsync(semaphore.wait({ timeout }), expected)
      t.throws(() => semaphore.waitSync({ timeout }), expected)
    }
    t.is(semaphore.value, 1)
  })

  test(`2,000 timeouts against posts lose and double no unit (${backend})`, async t => {
    const semaphore = ownSemaphore(t, backend)
    const waits: Promise<boolean>[] = []
    const begin = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const timeout = Math.random() * 15
        const taken = semaphore.wait({ timeout }).then(() => semaphore.post())
        waits.push(
          taken.then(
            () => true,
            error => {
              t.is(error.code, 'ETIMEDOUT')
              return false
            },
          ),
        )
        if (i % 20 === 0) await sleep(1)
      }
    }
    // These end before a unit is posted. If this process is held up later, the other one can post all of its units meanwhile.
    await begin(20)
    await Promise.all(waits)
    const posts = child(t, 'waiting/post-at-random.ts', { args: [backend, semaphore.name, 1_000] })
    await begin(1_980)
    const granted = (await Promise.all(waits)).filter(Boolean).length
    t.true(granted < 2_000)
    t.is((await posts.exit).code, 0)
    await until('every unit is there', () => semaphore.value === 1_000)
  })

  requires(signals).serial(
    `a storm of signals neither ends a wait nor shortens its timeout (${backend})`,
    async t => {
      await onEveryNode(t, backend, async waiting => {
        const storm = setInterval(() => waiting.kill('SIGWINCH'), 1)
        await waiting.next().then(line => checkResults(t, line))
        clearInterval(storm)
      })
    },
  )

  requires(signals).serial(`a stopped process still waits when it is continued (${backend})`, async t => {
    await onEveryNode(t, backend, async waiting => {
      for (let i = 0; i < 5; i++) {
        waiting.kill('SIGSTOP')
        await sleep(20)
        waiting.kill('SIGCONT')
        await sleep(20)
      }
      checkResults(t, await waiting.next())
    })
  })
}

test('a timeout ends its wait even when the wait runs in the pool', async t => {
  const semaphore = ownSemaphore(t)
  const other = Semaphore.open(semaphore.name)
  t.teardown(() => other.close())
  const long = other.wait()
  await t.throwsAsync(semaphore.wait({ timeout: 30 }), ETIMEDOUT)
  semaphore.post()
  await long
})

/** Disturbs a process that waits for a unit that never comes. */
async function onEveryNode(
  t: ExecutionContext,
  backend: Backend,
  disturb: (waiting: Child) => Promise<void>,
): Promise<void> {
  const run = async (node: NodeBinary): Promise<void> => {
    const { name } = ownSemaphore(t, backend)
    const waiting = child(t, 'waiting/wait-in-vain.ts', { node, args: [backend, name, 400] })
    await waiting.until('waiting')
    await disturb(waiting)
    t.is((await waiting.exit).code, 0)
  }
  await Promise.all(nodes.map(run))
}

function checkResults(t: ExecutionContext, line: unknown): void {
  const results = line as { late: number; code: string }[]
  t.is(results.length, 5)
  for (const { late, code } of results) {
    t.is(code, 'ETIMEDOUT')
    t.true(late >= 0, `${late}`)
  }
}
