// Locks inside one process, on every engine and on PostgreSQL: the rules of the Web Locks specification.

import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'

import test from 'ava'

import { type Lock, locks } from '../../index.js'
import { hold } from './helpers/hold.ts'
import { isFree } from './helpers/locks.ts'
import { onEveryManager } from './helpers/lock-managers.ts'
import { until } from '../shared/until.ts'

onEveryManager(({ name: engineName, test, manager, lockName, isThere }) => {
  test('the callback gets a lock with its name and mode, exclusive by default', async t => {
    const name = lockName(t)
    const seen: [string, string][] = []
    const see = (lock: Lock | null) => {
      t.is(String(lock), '[object Lock]')
      t.false(lock?.signal?.aborted)
      if (lock) seen.push([lock.name, lock.mode])
    }
    await manager.request(name, see)
    await manager.request(name, {}, see)
    await manager.request(name, { mode: 'exclusive' }, see)
    await manager.request(name, { mode: 'shared' }, see)
    t.deepEqual(seen, [
      [name, 'exclusive'],
      [name, 'exclusive'],
      [name, 'exclusive'],
      [name, 'shared'],
    ])
  })

  test('a lock has its own signal, which does not abort when the lock is released', async t => {
    const name = lockName(t)
    const signals = new Set<AbortSignal>()
    for (let turn = 0; turn < 2; turn++) {
      await manager.request(name, lock => {
        t.true(lock?.signal instanceof AbortSignal)
        t.is(lock?.signal, lock?.signal)
        if (lock) signals.add(lock.signal as AbortSignal)
      })
    }
    t.is(signals.size, 2)
    t.false([...signals].some(signal => signal.aborted))
  })

  test('a lock cannot be changed', async t => {
    await manager.request(lockName(t), lock => {
      for (const change of [{ name: 'other' }, { mode: 'shared' }, { signal: undefined }, { fence: 1 }]) {
        t.throws(() => Object.assign(lock as object, change), { instanceOf: TypeError })
      }
    })
  })

  test("request resolves with the callback's result, also through its promise", async t => {
    const name = lockName(t)
    t.is(await manager.request(name, () => 5), 5)
    t.is(await manager.request(name, async () => 'later'), 'later')
    t.is(await manager.request(name, () => Promise.resolve(undefined)), undefined)
  })

  test("request rejects with the callback's error or rejection, and the lock is free", async t => {
    const name = lockName(t)
    const trouble = new Error('trouble')
    for (const fail of [
      () => {
        throw trouble
      },
      () => Promise.reject(trouble),
    ]) {
      t.is(await t.throwsAsync(manager.request(name, fail)), trouble)
      t.true(await manager.request(name, { ifAvailable: true }, lock => lock !== null))
    }
  })

  test('the callback never runs before request has returned', async t => {
    let returned = false
    const done = manager.request(lockName(t), () => t.true(returned))
    returned = true
    await done
  })

  test('a lock is held until the promise of its callback settles', async t => {
    const name = lockName(t)
    const release = await hold(manager, name)
    let granted = false
    const second = manager.request(name, () => {
      granted = true
    })
    await sleep(30)
    t.false(granted)
    await release()
    await second
    t.true(granted)
  })

  test('the lock is free when the promise of request settles', async t => {
    const name = lockName(t)
    for (let turn = 0; turn < 50; turn++) {
      t.true(await manager.request(name, { ifAvailable: true }, lock => lock !== null))
      await manager.request(name, () => {})
    }
  })

  test('exclusive requests are granted one at a time, in their order', async t => {
    const name = lockName(t)
    const events: string[] = []
    const requests = Array.from({ length: 20 }, (_, index) =>
      manager.request(name, async () => {
        events.push(`+${index}`)
        await setImmediate()
        events.push(`-${index}`)
      }),
    )
    await Promise.all(requests)
    t.deepEqual(events, Array.from({ length: 20 }, (_, index) => [`+${index}`, `-${index}`]).flat())
  })

  test('shared requests hold the lock together', async t => {
    const name = lockName(t)
    const releases = await Promise.all(
      Array.from({ length: 10 }, () => hold(manager, name, { mode: 'shared' })),
    )
    t.is((await manager.query()).held.filter(lock => lock.name === name).length, 10)
    await Promise.all(releases.map(release => release()))
  })

  test('a shared request waits for an exclusive one that came before it, held or not', async t => {
    const name = lockName(t)
    const events: string[] = []
    const ask = (mode: 'shared' | 'exclusive', event: string) =>
      manager.request(name, { mode }, async () => {
        events.push(`+${event}`)
        await sleep(5)
        events.push(`-${event}`)
      })
    const release = await hold(manager, name, { mode: 'shared' })
    const all = [ask('exclusive', 'X'), ask('shared', 'a'), ask('shared', 'b'), ask('exclusive', 'Y')]
    all.push(ask('shared', 'c'))
    await sleep(30)
    t.deepEqual(events, [])
    await release()
    await Promise.all(all)
    t.deepEqual(events.slice(0, 2), ['+X', '-X'])
    t.deepEqual(events.slice(2, 6).sort(), ['+a', '+b', '-a', '-b'])
    t.deepEqual(events.slice(6), ['+Y', '-Y', '+c', '-c'])
  })

  test('locks with different names are independent of each other', async t => {
    const release = await hold(manager, lockName(t))
    t.is(await manager.request(lockName(t), () => 'granted'), 'granted')
    await release()
  })

  test('locks can be nested', async t => {
    const [outer, inner] = [lockName(t), lockName(t)]
    const result = await manager.request(outer, () =>
      manager.request(inner, { mode: 'shared' }, async () => (await manager.query()).held),
    )
    const ours = result.filter(({ name }) => name === outer || name === inner)
    t.deepEqual(
      ours.map(({ name, mode }) => [name, mode]).sort(),
      [
        [outer, 'exclusive'],
        [inner, 'shared'],
      ].sort(),
    )
  })

  // --- ifAvailable

  test('ifAvailable gets the lock when it is free, and null when it is not', async t => {
    const name = lockName(t)
    t.is(await manager.request(name, { ifAvailable: true }, lock => lock?.mode), 'exclusive')
    const release = await hold(manager, name, { mode: 'shared' })
    t.is(await manager.request(name, { ifAvailable: true }, lock => lock), null)
    t.is(await manager.request(name, { ifAvailable: true, mode: 'shared' }, lock => lock?.mode), 'shared')
    await release()
    await until('the lock is free', () => isFree(manager, name))
  })

  test('ifAvailable gets null while another request waits, even in a compatible mode', async t => {
    const name = lockName(t)
    const release = await hold(manager, name, { mode: 'shared' })
    const waiting = manager.request(name, () => {})
    t.is(await manager.request(name, { ifAvailable: true, mode: 'shared' }, lock => lock), null)
    await release()
    await waiting
  })

  test('request passes the result or error of a callback that got null through', async t => {
    const name = lockName(t)
    const release = await hold(manager, name)
    const options = { ifAvailable: true }
    t.is(await manager.request(name, options, async lock => lock ?? 'none'), 'none')
    const trouble = new Error('none')
    const fail = () => Promise.reject(trouble)
    t.is(await t.throwsAsync(manager.request(name, options, fail)), trouble)
    await release()
  })

  // --- signal

  test('an aborted signal rejects with its reason, and nothing is requested', async t => {
    const name = lockName(t)
    const reason = { any: 'value' }
    const request = manager.request(name, { signal: AbortSignal.abort(reason) }, () => t.fail('it ran'))
    t.is(await request.catch(error => error), reason)
    t.false(await isThere(name))
    await t.throwsAsync(
      manager.request(name, { signal: AbortSignal.abort() }, () => {}),
      {
        name: 'AbortError',
      },
    )
  })

  test('a signal ends a wait with its reason, at once, and the callback never runs', async t => {
    const name = lockName(t)
    const release = await hold(manager, name)
    const controller = new AbortController()
    const request = manager.request(name, { signal: controller.signal }, () => t.fail('it ran'))
    await sleep(20)
    const reason = new Error('no more')
    controller.abort(reason)
    t.is(await t.throwsAsync(request), reason)
    t.is((await manager.query()).pending.filter(pending => pending.name === name).length, 0)
    await release()
    await until('the lock is free', () => isFree(manager, name))
  })

  test('an aborted wait does not block the requests behind it', async t => {
    const name = lockName(t)
    const release = await hold(manager, name, { mode: 'shared' })
    const controller = new AbortController()
    const writer = manager.request(name, { signal: controller.signal }, () => t.fail('it ran'))
    const reader = manager.request(name, { mode: 'shared' }, () => 'read')
    await sleep(20)
    controller.abort()
    await t.throwsAsync(writer, { name: 'AbortError' })
    t.is(await reader, 'read')
    await release()
  })

  test('an aborted reader passes its turn to a writer', async t => {
    const name = lockName(t)
    const release = await hold(manager, name)
    const controller = new AbortController()
    const reader = manager.request(name, { mode: 'shared', signal: controller.signal }, () =>
      t.fail('it ran'),
    )
    const writer = manager.request(name, lock => lock?.mode)
    await sleep(20)
    controller.abort()
    await t.throwsAsync(reader, { name: 'AbortError' })
    await release()
    t.is(await writer, 'exclusive')
  })

  test('a signal has no effect once the lock is granted', async t => {
    const controller = new AbortController()
    const name = lockName(t)
    const result = await manager.request(name, { signal: controller.signal }, async () => {
      controller.abort()
      await sleep(10)
      t.is(await manager.request(name, { ifAvailable: true }, lock => lock), null)
      return 'done'
    })
    t.is(result, 'done')
    controller.abort()
  })

  test('a signal that comes between the grant and the callback still ends the request', async t => {
    const name = lockName(t)
    const controller = new AbortController()
    const request = manager.request(name, { signal: controller.signal }, () => t.fail('it ran'))
    controller.abort('changed my mind')
    t.is(await request.catch(reason => reason), 'changed my mind')
    t.not(await manager.request(name, { ifAvailable: true }, lock => lock), null)
  })

  test('a signal with only aborted, reason and events is enough', async t => {
    const name = lockName(t)
    const signal = Object.assign(new EventTarget(), { aborted: false, reason: 'no more' }) as AbortSignal
    const release = await hold(manager, name, { signal })
    const waiting = manager.request(name, { signal }, () => t.fail('it ran'))
    Object.assign(signal, { aborted: true }).dispatchEvent(new Event('abort'))
    t.is(await waiting.catch(reason => reason), 'no more')
    t.is(await manager.request(name, { signal }, () => t.fail('it ran')).catch(reason => reason), 'no more')
    await release()
  })

  test('one signal ends many waits, and is left without listeners', async t => {
    const name = lockName(t)
    const release = await hold(manager, name)
    const { signal, ...controller } = countedSignal()
    const requests = Array.from({ length: 20 }, () => manager.request(name, { signal }, () => {}))
    t.is(controller.listeners(), 20)
    controller.abort('all')
    t.deepEqual(
      new Set(await Promise.all(requests.map(request => request.catch(error => error)))),
      new Set(['all']),
    )
    t.is(controller.listeners(), 0)
    await release()
    const again = countedSignal()
    await manager.request(name, { signal: again.signal }, () => {})
    t.is(again.listeners(), 0)
  })

  // --- time

  test('a timeout ends the wait with ETIMEDOUT, and the lock is not taken later', async t => {
    const name = lockName(t)
    const release = await hold(manager, name)
    const error = await t.throwsAsync(
      manager.request(name, { timeout: 30 }, () => t.fail()),
      {
        code: 'ETIMEDOUT',
        message: `the lock '${name}' was not granted in time`,
      },
    )
    if (engineName !== 'postgres')
      t.regex((error as unknown as { hint: string }).hint, new RegExp(`^held by process ${process.pid}: `))
    await t.throwsAsync(
      manager.request(name, { timeout: 0 }, () => t.fail()),
      { code: 'ETIMEDOUT' },
    )
    t.is(await manager.request(name, { timeout: 0, ifAvailable: true }, lock => lock), null)
    const waits = manager.request(name, { timeout: 60_000 }, lock => lock?.name)
    const endless = manager.request(name, { timeout: Number.POSITIVE_INFINITY }, lock => lock?.name)
    await release()
    t.deepEqual(await Promise.all([waits, endless]), [name, name])
    await until('the lock is free', () => isFree(manager, name))
    t.is(await manager.request(name, { timeout: 0 }, lock => lock?.mode), 'exclusive')
  })

  test('a wrong timeout is refused, and any other unknown option has no effect', async t => {
    const name = lockName(t)
    for (const [timeout, code] of [
      [-1, 'ERR_OUT_OF_RANGE'],
      ['1', 'ERR_INVALID_ARG_TYPE'],
      [null, 'ERR_INVALID_ARG_TYPE'],
    ] as const) {
      await t.throwsAsync(
        manager.request(name, { timeout: timeout as never }, () => t.fail()),
        { code },
      )
    }
    t.is(await manager.request(name, { timeuot: 5 } as never, lock => lock?.name), name)
  })

  // --- query

  test('query lists the held and the waiting requests in their order', async t => {
    const name = lockName(t)
    const first = await hold(manager, name, { mode: 'shared' })
    const second = await hold(manager, name, { mode: 'shared' })
    const writer = manager.request(name, () => {})
    const reader = manager.request(name, { mode: 'shared' }, () => {})
    const { held, pending } = await manager.query()
    const entry = (mode: string) => ({
      name,
      mode,
      pid: process.pid,
      // PostgreSQL tells the thread to every process.
      ...(engineName === 'postgres'
        ? { clientId: `node-${process.pid}-0` }
        : { clientId: `node-${process.pid}`, threadId: 0 }),
    })
    t.deepEqual(
      held.filter(lock => lock.name === name),
      [entry('shared'), entry('shared')] as never,
    )
    t.deepEqual(
      pending.filter(lock => lock.name === name),
      [entry('exclusive'), entry('shared')] as never,
    )
    await Promise.all([first(), second()])
    await Promise.all([writer, reader])
    const after = await manager.query()
    t.deepEqual(
      [...after.held, ...after.pending].filter(lock => lock.name === name),
      [],
    )
  })

  // --- nothing stays behind

  test('an unused lock is gone after a moment', async t => {
    const name = lockName(t)
    await manager.request(name, async () => t.true(await isThere(name)))
    await until('nothing is left', async () => !(await isThere(name)))
    t.is(await manager.request(name, () => 'again'), 'again')
    await until('nothing is left again', async () => !(await isThere(name)))
  })

  test('an aborted wait leaves no object either', async t => {
    const name = lockName(t)
    const release = await hold(manager, name, { mode: 'shared' })
    const controller = new AbortController()
    const writer = manager.request(name, { signal: controller.signal }, () => {})
    await sleep(20)
    const released = release()
    controller.abort()
    const [outcome] = await Promise.allSettled([writer, released])
    t.true(['fulfilled', 'rejected'].includes(outcome.status))
    await until('nothing is left', async () => !(await isThere(name)))
  })

  test('any text of at most 250 bytes can be a name', async t => {
    for (const name of ['', '/', 'a/b', '..', 'é'.repeat(125), '\0', 'with space\n', '日本', ' -']) {
      t.is(await manager.request(name, lock => lock?.name), name, inspect(name))
      await until(`nothing is left of ${inspect(name)}`, async () => name === '' || !(await isThere(name)))
    }
    for (const name of ['a'.repeat(251), 'é'.repeat(126), '\ud800']) {
      await t.throwsAsync(
        manager.request(name, () => {}),
        {
          instanceOf: TypeError,
          code: 'ERR_INVALID_ARG_VALUE',
        },
      )
    }
  })

  test('thousands of requests for one lock are all granted', async t => {
    const name = lockName(t)
    let inside = 0
    let granted = 0
    await Promise.all(
      Array.from({ length: 2_000 }, (_, index) => {
        const mode = index % 3 === 0 ? 'exclusive' : 'shared'
        return manager.request(name, { mode }, async () => {
          inside += mode === 'exclusive' ? 1_000_000 : 1
          t.true(inside === 1_000_000 || inside < 1_000_000, `${inside}`)
          granted += 1
          await setImmediate()
          inside -= mode === 'exclusive' ? 1_000_000 : 1
        })
      }),
    )
    t.is(granted, 2_000)
    t.is(inside, 0)
  })
})

// --- arguments: the same on every engine

const never = () => {
  throw new Error('it ran')
}

test('a name that starts with a hyphen is a NotSupportedError', async t => {
  const error = await t.throwsAsync(locks.request('-x', never), { name: 'NotSupportedError' })
  t.true(error instanceof DOMException)
})

test('steal is a NotSupportedError with its reason', async t => {
  const error = await t.throwsAsync(locks.request('x', { steal: true }, never), { name: 'NotSupportedError' })
  t.true(error instanceof DOMException)
  t.regex(error?.message ?? '', /the other process would go on as if it had the lock/)
})

for (const [what, options] of [
  ['steal and ifAvailable', { steal: true, ifAvailable: true }],
  ['steal of a shared lock', { steal: true, mode: 'shared' }],
  ['steal and a signal', { steal: true, signal: new AbortController().signal }],
  ['ifAvailable and a signal', { ifAvailable: true, signal: new AbortController().signal }],
  ['ifAvailable and an aborted signal', { ifAvailable: true, signal: AbortSignal.abort() }],
] as const) {
  test(`${what} is a NotSupportedError`, async t => {
    await t.throwsAsync(locks.request('x', options, never), { name: 'NotSupportedError' })
  })
}

for (const [what, args] of [
  ['no argument', []],
  ['no callback', ['x']],
  ['a callback that is not a function', ['x', 'y']],
  ['options and no callback', ['x', {}]],
  ['options and a callback that is not a function', ['x', {}, {}]],
  ['options that are not an object', ['x', 5, never]],
  ['an unknown mode', ['x', { mode: 'other' }, never]],
  ['null as a mode', ['x', { mode: null }, never]],
  ['a signal that is not an AbortSignal', ['x', { signal: {} }, never]],
  ['null as a signal', ['x', { signal: null }, never]],
  ['a symbol as a name', [Symbol('x'), never]],
] as const) {
  test(`${what} is a TypeError, as a rejection`, async t => {
    const request: Promise<unknown> = Reflect.apply(locks.request, locks, args)
    await t.throwsAsync(request, { instanceOf: TypeError })
  })
}

test('a wrong type is reported before a wrong name', async t => {
  await t.throwsAsync(locks.request('-x', { mode: 'other' as never }, never), { instanceOf: TypeError })
})

test('a name that is not a text is converted as Web IDL specifies', async t => {
  const request = (...args: unknown[]): Promise<unknown> => Reflect.apply(locks.request, locks, args)
  const name = { toString: () => `os-ipc-text-${process.pid}` }
  t.is(await request(name, (lock: Lock) => lock.name), `os-ipc-text-${process.pid}`)
  t.is(await request(name, undefined, (lock: Lock) => lock.mode), 'exclusive')
  t.is(await request(name, null, (lock: Lock) => lock.mode), 'exclusive')
})

test('options are read once, in the order of the alphabet', async t => {
  const read: string[] = []
  const options = new Proxy({}, { get: (_, key) => void read.push(String(key)) })
  await locks.request(`os-ipc-read-${process.pid}`, options, () => {})
  t.deepEqual(read, ['ifAvailable', 'mode', 'signal', 'steal', 'timeout'])
})

test('a manager has the tag LockManager', t => {
  t.is(String(locks), '[object LockManager]')
})

/** A signal that counts its listeners. */
function countedSignal() {
  const controller = new AbortController()
  const { signal } = controller
  let count = 0
  const { addEventListener, removeEventListener } = signal
  signal.addEventListener = (...args: unknown[]) => {
    count += 1
    return Reflect.apply(addEventListener, signal, args)
  }
  signal.removeEventListener = (...args: unknown[]) => {
    count -= 1
    return Reflect.apply(removeEventListener, signal, args)
  }
  return { signal, listeners: () => count, abort: (reason: unknown) => controller.abort(reason) }
}
