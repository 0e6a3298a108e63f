// Processes die as they like, at any moment: permits come back, all of them, and not one more.

import { setTimeout as sleep } from 'node:timers/promises'

import { Semaphore } from '../../index.js'
import { child, type Child } from '../shared/child.ts'
import { uniqueName } from '../shared/names.ts'
import { linux, requires } from '../shared/requires.ts'
import { remote } from './helpers/remote.ts'
import { until } from '../shared/until.ts'

requires(linux)('64 workers killed at random moments keep no permit', async t => {
  const permits = 4
  const name = uniqueName(t)
  using semaphore = Semaphore.create(name, { initial: permits })
  let kills = 0
  const crew = async () => {
    while (kills < 64) {
      kills += 1
      const worker: Child = child(t, 'semaphore/work.ts', { args: [name] })
      await worker.next()
      await sleep(Math.random() * 20)
      worker.kill('SIGKILL')
      await worker.exit
    }
  }
  await Promise.all(Array.from({ length: 6 }, crew))
  t.is(semaphore.value, permits)
  // And every one of them can be held.
  const held = Array.from({ length: permits + 1 }, () => semaphore.tryAcquire())
  t.deepEqual(
    held.map(permit => permit !== null),
    [true, true, true, true, false],
  )
  for (const permit of held) permit?.release()
  t.is(semaphore.value, permits)
})

requires(linux)('the permit of a killed holder goes to who waits for it', async t => {
  const name = uniqueName(t)
  using semaphore = Semaphore.create(name, { initial: 1 })
  for (let round = 0; round < 3; round++) {
    const holder = remote(t, 'open', name)
    t.is(await holder.call('acquire'), 1)
    const waiting = semaphore.acquire({ timeout: 15_000 })
    await until('it waits', () => semaphore.info().waiters === 1)
    holder.child.kill('SIGKILL')
    const permit = await waiting
    permit.release()
  }
  t.is(semaphore.value, 1)
})

requires(linux)('a process that is killed while it waits takes nothing', async t => {
  const name = uniqueName(t)
  using semaphore = Semaphore.create(name, { initial: 0 })
  const waiting = remote(t, 'open', name)
  void waiting.call('acquire').catch(() => {})
  void waiting.call('wait').catch(() => {})
  await until('it waits', () => semaphore.info().waiters === 1)
  waiting.child.kill('SIGKILL')
  await waiting.child.exit
  semaphore.post()
  t.is(semaphore.value, 1)
  t.is(semaphore.info().waiters, 0)
})

requires(linux)('a process that is stopped and goes on notices nothing', async t => {
  const name = uniqueName(t)
  using semaphore = Semaphore.create(name, { initial: 0 })
  const stopped = remote(t, 'open', name)
  for (const wait of ['wait', 'acquire', 'waitSync']) {
    const waiting = stopped.call(wait, { timeout: 15_000 })
    await until('it waits', () => semaphore.info().waiters === 1)
    for (let round = 0; round < 5; round++) {
      stopped.child.kill('SIGSTOP')
      stopped.child.kill('SIGCONT')
    }
    semaphore.post()
    t.false(typeof (await waiting) === 'object')
  }
  t.is(semaphore.value, 0)
})
