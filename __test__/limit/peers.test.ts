// Programs in Python, C and Go count in a limit: semaphore 0 of its set holds the free permits.

import type { ExecutionContext } from 'ava'

import { type Id, Limit } from '../../index.js'
import { program } from '../shared/child.ts'
import { keyOf, uniqueKey, uniqueName } from '../shared/names.ts'
import { answer, c, go, PeerError, python } from '../shared/peers.ts'
import { requires } from '../shared/requires.ts'
import { until } from '../shared/until.ts'
import { freeOf, ownLimit } from './helpers/own.ts'

for (const peer of [python, c, go]) {
  for (const facility of ['sem-sysv', 'sem-key'] as const) {
    const who = `${peer.language}, ${facility}`
    const idFor = (t: ExecutionContext): Id => (facility === 'sem-key' ? uniqueKey(t) : uniqueName(t))

    requires(peer)(`a peer counts in a limit that this package made (${who})`, async t => {
      const id = idFor(t)
      const run = (verb: string, ...rest: number[]) => peer.run(t, facility, verb, id, ...rest)
      using limit = Limit.create(id, { permits: 2 })
      t.is(await run('open'), 'ok')
      await t.throwsAsync(run('create', 1), { instanceOf: PeerError, code: 'EEXIST' })
      t.is(await run('value'), '2')
      t.is(await run('try'), 'ok')
      // Units that a peer takes without undo have no owner.
      t.like(limit.info(), { permits: 2, free: 1, holders: [], unnamed: 1 })
      const permit = limit.tryAcquire()
      t.like(limit.info(), { free: 0, holders: [{ pid: process.pid, permits: 1 }], unnamed: 1 })
      t.is(await run('try'), 'false')

      const there = peer.start(t, [facility, 'wait', id])
      await until('the peer waits', () => limit.info().waiters === 1)
      const here = limit.acquire({ timeout: 60_000 })
      // Until the kernel counts the wait of this process, that may overtake the peer.
      await until('both wait', () => limit.info().waiters === 2)
      permit?.release()
      t.is(await answer(there), 'ok')
      t.is(await run('post', 1), 'ok')
      ;(await here).release()
      t.is(await run('post', 1), 'ok')
      t.like(limit.info(), { permits: 2, free: 2, holders: [], unnamed: 0 })
      t.is(await run('unlink'), 'ok')
      t.throws(() => Limit.open(id), { code: 'ENOENT' })
    })

    requires(peer)(`this package takes permits of a set that a peer made (${who})`, async t => {
      const id = idFor(t)
      t.is(await peer.run(t, facility, 'create', id, 2), 'ok')
      t.throws(() => Limit.create(id, { permits: 1 }), { code: 'EEXIST' })
      using limit = Limit.openOrCreate(id, { permits: 9 })
      t.like(limit, { created: false, permits: undefined })
      const permits = [limit.tryAcquire(), await limit.acquire()]
      t.is(await peer.run(t, facility, 'value', id), '0')
      const waiting = limit.acquire({ timeout: 60_000 })
      t.is(await peer.run(t, facility, 'post', id), 'ok')
      permits.push(await waiting)
      for (const permit of permits) permit?.release()
      t.is(await peer.run(t, facility, 'value', id), '3')
      await t.throwsAsync(limit.resize(1), { code: 'ERR_NOT_SUPPORTED' })
      t.true(Limit.unlink(id))
    })
  }
}

for (const peer of [python, c, go]) {
  requires(peer)(`a peer finds no limit that is a ledger (${peer.language})`, async t => {
    const limit = ownLimit(t, 2, { engine: 'ledger' })
    const missing = peer.run(t, 'sem-sysv', 'open', limit.name)
    await t.throwsAsync(missing, { instanceOf: PeerError, code: 'ENOENT' })
    t.is(freeOf(limit), 2)
  })
}

requires(python)('a permit that a peer takes with undo comes back when the peer dies', async t => {
  const name = uniqueName(t)
  using limit = Limit.create(name, { permits: 1 })
  // SEM_UNDO is 0x1000; C, PHP, and Python's sysv_ipc with `undo = True` use it.
  const script = `import ctypes, struct
libc = ctypes.CDLL(None)
assert libc.semop(libc.semget(${keyOf(name)}, 0, 0), struct.pack("Hhh", 0, -1, 0x1000), 1) == 0
print("held", flush=True)
input()`
  const holder = program(t, ['python3', '-c', script])
  t.is(await holder.next(), 'held')
  t.is(limit.tryAcquire(), null)
  t.is(limit.info().unnamed, 1)
  const waiting = limit.acquire({ timeout: 15_000 })
  holder.kill('SIGKILL')
  ;(await waiting).release()
  t.is(freeOf(limit), 1)
})
