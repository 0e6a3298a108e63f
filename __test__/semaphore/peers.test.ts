// Programs in JavaScript, Python, C and Go share one counter, whichever of them makes it.

import type { ExecutionContext } from 'ava'

import { type Id, Semaphore } from '../../index.js'
import type { Backend } from '../../index.js'
import { exists, keyOf, uniqueKey, uniqueName } from '../shared/names.ts'
import { answer, c, go, type Peer, PeerError, python } from '../shared/peers.ts'
import { requires } from '../shared/requires.ts'
import { until } from '../shared/until.ts'

/** The facility of the peer and the backend of this package for the same semaphore. */
interface Way {
  peer: Peer
  facility: 'sem-sysv' | 'sem-key' | 'sem-posix'
  backend: Backend
  id(t: ExecutionContext): Id
}

const byName = (t: ExecutionContext) => uniqueName(t)
const ways: Way[] = [
  ...[python, c, go].flatMap((peer): Way[] => [
    { peer, facility: 'sem-sysv', backend: 'sysv', id: byName },
    { peer, facility: 'sem-key', backend: 'sysv', id: uniqueKey },
  ]),
  ...[python, c].map((peer): Way => ({ peer, facility: 'sem-posix', backend: 'posix', id: byName })),
]

for (const { peer, facility, backend, id: idFor } of ways) {
  const who = `${peer.language}, ${facility}`

  requires(peer)(`a peer uses a semaphore that this package made (${who})`, async t => {
    const id = idFor(t)
    const run = (verb: string, ...rest: number[]) => peer.run(t, facility, verb, id, ...rest)
    using semaphore = Semaphore.create(id, { initial: 2, backend })
    t.is(await run('open'), 'ok')
    await t.throwsAsync(run('create', 1), { instanceOf: PeerError, code: 'EEXIST' })
    t.is(await run('ensure', 9), 'ok')
    t.is(await run('value'), '2')
    t.is(await run('try'), 'ok')
    t.is(semaphore.value, 1)
    t.is(await run('wait'), 'ok')
    t.is(await run('try'), 'false')
    t.false(semaphore.tryWait())

    const there = peer.start(t, [facility, 'wait', id, 15_000])
    const forEver = peer.start(t, [facility, 'wait', id])
    semaphore.post(2)
    t.is(await answer(there), 'ok')
    t.is(await answer(forEver), 'ok')

    const here = semaphore.wait({ timeout: 15_000 })
    t.is(await run('post', 3), 'ok')
    await here
    t.is(semaphore.value, 2)

    t.is(await run('unlink'), 'ok')
    t.throws(() => Semaphore.open(id, { backend }), { code: 'ENOENT' })
    t.false(Semaphore.unlink(id, { backend }))
  })

  requires(peer)(`this package uses a semaphore that a peer made (${who})`, async t => {
    const id = idFor(t)
    const run = (verb: string, ...rest: number[]) => peer.run(t, facility, verb, id, ...rest)
    t.is(await run('create', 3), 'ok')
    t.throws(() => Semaphore.create(id, { initial: 1, backend }), { code: 'EEXIST' })
    using semaphore = Semaphore.open(id, { backend })
    using same = Semaphore.openOrCreate(id, { initial: 9, backend })
    t.false(same.created)
    t.is(semaphore.value, 3)
    t.true(semaphore.tryWait())
    t.true(same.tryWait())
    t.is(await run('value'), '1')
    same.post()
    t.is(await run('value'), '2')
    await semaphore.wait()
    semaphore.waitSync()
    t.false(semaphore.tryWait())

    const waits = [semaphore.wait({ timeout: 15_000 }), same.wait({ timeout: 15_000 })]
    t.is(await run('post', 2), 'ok')
    await Promise.all(waits)
    t.is(semaphore.value, 0)

    const there = peer.start(t, [facility, 'wait', id, 15_000])
    semaphore.post()
    t.is(await answer(there), 'ok')

    t.true(Semaphore.unlink(id, { backend }))
    await t.throwsAsync(run('open'), { code: 'ENOENT' })
  })

  requires(peer)(`a peer has the same limits (${who})`, async t => {
    const id = idFor(t)
    using semaphore = Semaphore.create(id, { initial: 32_767, backend })
    if (backend === 'posix') {
      await peer.run(t, facility, 'post', id)
      t.is(semaphore.value, 32_768)
    } else {
      await t.throwsAsync(peer.run(t, facility, 'post', id), { instanceOf: PeerError })
      t.throws(() => semaphore.post(), { code: 'ERANGE' })
      t.is(semaphore.value, 32_767)
    }
  })

  if (backend === 'sysv') {
    requires(peer)(`unlink here ends a wait there, and unlink there ends a wait here (${who})`, async t => {
      const id = idFor(t)
      using ours = Semaphore.create(id, { initial: 0 })
      const there = peer.start(t, [facility, 'wait', id])
      await until('the peer waits', () => ours.info().waiters === 1)
      ours.unlink()
      await t.throwsAsync(answer(there), { instanceOf: PeerError })

      await peer.run(t, facility, 'create', id, 0)
      using theirs = Semaphore.open(id)
      const here = [theirs.wait(), theirs.wait({ timeout: 15_000 })]
      await peer.run(t, facility, 'unlink', id)
      for (const wait of here) await t.throwsAsync(wait, { code: 'EIDRM' })
      t.false(exists('sem', typeof id === 'number' ? id : keyOf(id)))
    })

    requires(peer)(`a waiting peer and a waiter of this process are served in turn (${who})`, async t => {
      const id = idFor(t)
      using semaphore = Semaphore.create(id, { initial: 0 })
      const there = peer.start(t, [facility, 'wait', id])
      await until('the peer waits', () => semaphore.info().waiters === 1)
      const here = semaphore.wait({ timeout: 15_000 })
      await until('both wait', () => semaphore.info().waiters === 2)
      semaphore.post()
      t.is(await answer(there), 'ok')
      t.is(semaphore.info().pending, 1)
      semaphore.post()
      await here
    })
  }
}
