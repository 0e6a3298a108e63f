// The peers understand each other, so that tests can rely on their answers about this package.

import type { ExecutionContext } from 'ava'

import { exists, keyOf, uniqueKey, uniqueName } from '../shared/names.ts'
import { answer, c, type Peer, peers, python } from '../shared/peers.ts'
import { requires } from '../shared/requires.ts'
import { until } from '../shared/until.ts'

const semaphores = ['sem-sysv', 'sem-key', 'sem-posix'] as const
const memory = ['shm-posix', 'shm-sysv'] as const
type Facility = (typeof semaphores)[number] | (typeof memory)[number]

const uniqueId = (t: ExecutionContext, facility: Facility) =>
  facility === 'sem-key' || facility === 'shm-sysv' ? uniqueKey(t) : uniqueName(t)

/** `sem_open` is part of the C library, which Go does not use. */
const speaks = (peer: Peer, facility: Facility) => peer.language !== 'go' || facility !== 'sem-posix'

for (const peer of peers) {
  requires(peer).serial(`${peer.language} makes the same keys as the other peers`, async t => {
    for (const name of ['/', '/a', '/mylock', '/myapp.v1.jobs', '/日本']) {
      t.is(await peer.run(t, 'key', name), String(keyOf(name)))
    }
    t.is(await peer.run(t, 'key', 'mylock'), String(keyOf('/mylock')))
  })

  for (const facility of semaphores.filter(facility => speaks(peer, facility))) {
    requires(peer).serial(
      `${peer.language} distinguishes a missing semaphore from an existing one (${facility})`,
      async t => {
        const id = uniqueId(t, facility)
        await t.throwsAsync(peer.run(t, facility, 'open', id), { name: 'PeerError', code: 'ENOENT' })
        t.is(await peer.run(t, facility, 'create', id, 1), 'ok')
        await t.throwsAsync(peer.run(t, facility, 'create', id, 1), { code: 'EEXIST' })
        t.is(await peer.run(t, facility, 'ensure', id, 5), 'ok')
        t.is(await peer.run(t, facility, 'value', id), '1')
        t.is(await peer.run(t, facility, 'unlink', id), 'ok')
        t.is(await peer.run(t, facility, 'ensure', id, 5), 'ok')
        t.is(await peer.run(t, facility, 'value', id), '5')
      },
    )
  }

  for (const facility of memory) {
    requires(peer).serial(
      `${peer.language} distinguishes missing memory from existing memory (${facility})`,
      async t => {
        const id = uniqueId(t, facility)
        await t.throwsAsync(peer.run(t, facility, 'open', id), { code: 'ENOENT' })
        t.is(await peer.run(t, facility, 'create', id, 10), 'ok')
        await t.throwsAsync(peer.run(t, facility, 'create', id, 10), { code: 'EEXIST' })
        t.is(await peer.run(t, facility, 'unlink', id), 'ok')
        t.false(typeof id === 'number' && exists('shm', id))
      },
    )
  }

  requires(peer).serial(`${peer.language} refuses a command that it does not have`, async t => {
    const name = uniqueName(t)
    await peer.run(t, 'sem-sysv', 'create', name, 1)
    await t.throwsAsync(peer.run(t, 'sem-sysv', 'frobnicate', name), { message: /ended with 2/ })
    await t.throwsAsync(peer.run(t, 'nothing', 'open', name), { message: /ended with 2/ })
  })

  requires(python, peer).serial(`${peer.language} reads what multiprocessing wrote`, async t => {
    const name = uniqueName(t)
    const plain = name.slice(1)
    await python.run(t, 'shm-python', 'create', plain, 100)
    await python.run(t, 'shm-python', 'write', plain, 1, 'abcd')
    t.is(await peer.run(t, 'shm-posix', 'read', name, 0, 4), '00abcd00')
    t.is(await python.run(t, 'shm-python', 'size', plain), '100')
    t.is(await python.run(t, 'shm-python', 'unlink', plain), 'ok')
  })
}

for (const [maker, user] of peers.flatMap(maker => peers.map(user => [maker, user] as const))) {
  for (const facility of semaphores.filter(facility => speaks(maker, facility) && speaks(user, facility))) {
    requires(maker, user).serial(
      `${maker.language} makes a semaphore, ${user.language} uses it (${facility})`,
      async t => {
        const id = uniqueId(t, facility)
        await maker.run(t, facility, 'create', id, 2)
        t.is(await user.run(t, facility, 'open', id), 'ok')
        t.is(await user.run(t, facility, 'value', id), '2')
        t.is(await user.run(t, facility, 'try', id), 'ok')
        t.is(await user.run(t, facility, 'wait', id), 'ok')
        t.is(await user.run(t, facility, 'try', id), 'false')
        t.is(await user.run(t, facility, 'wait', id, 30), 'false')
        const forEver = user.start(t, [facility, 'wait', id])
        const inTime = user.start(t, [facility, 'wait', id, 15_000])
        if (facility !== 'sem-posix') await isWaiting(t, maker, facility, id)
        await maker.run(t, facility, 'post', id, 3)
        t.is(await answer(forEver), 'ok')
        t.is(await answer(inTime), 'ok')
        t.is(await maker.run(t, facility, 'value', id), '1')
        t.is(await user.run(t, facility, 'unlink', id), 'ok')
        await t.throwsAsync(maker.run(t, facility, 'open', id), { code: 'ENOENT' })
      },
    )
  }

  for (const facility of memory) {
    requires(maker, user).serial(
      `${maker.language} makes memory, ${user.language} uses it (${facility})`,
      async t => {
        const id = uniqueId(t, facility)
        await maker.run(t, facility, 'create', id, 5_000)
        t.is(await user.run(t, facility, 'size', id), '5000')
        t.is(await user.run(t, facility, 'write', id, 4_090, '00ff10'), 'ok')
        t.is(await maker.run(t, facility, 'read', id, 4_089, 5), '0000ff1000')
        await t.throwsAsync(user.run(t, facility, 'write', id, 4_999, '0102'), { code: 'EFBIG' })
        if (facility === 'shm-sysv') {
          t.is(await maker.run(t, facility, 'id', id), await user.run(t, facility, 'id', id))
        } else {
          await user.run(t, facility, 'truncate', id, 4_092)
          t.is(await maker.run(t, facility, 'size', id), '4092')
        }
        t.is(await user.run(t, facility, 'unlink', id), 'ok')
      },
    )
  }
}

requires(python, c).serial('Python and C derive the same key from a file', async t => {
  const key = await python.run(t, 'ftok', import.meta.filename, 7)
  t.is(await c.run(t, 'ftok', import.meta.filename, 7), key)
})

/** Resolves when a process is blocked on the semaphore, as this peer sees it. */
async function isWaiting(
  t: ExecutionContext,
  peer: Peer,
  facility: Facility,
  id: string | number,
): Promise<void> {
  await until('somebody waits', async () => (await peer.run(t, facility, 'waiters', id)) !== '0')
}
