// Processes die in any way, at any moment: every permit comes back, exactly once.

import { setTimeout as sleep } from 'node:timers/promises'

import { child, type Child } from '../shared/child.ts'
import { linux } from '../shared/requires.ts'
import { freeOf, ownLimit } from './helpers/own.ts'
import { onEachEngine } from '../shared/on-each-engine.ts'
import { remote } from './helpers/remote.ts'
import { nodes } from '../shared/nodes.ts'
import { until } from '../shared/until.ts'

onEachEngine(linux)(
  '64 worker processes that are killed at random moments keep no permit',
  async (t, engine) => {
    const permits = 4
    const limit = ownLimit(t, permits, { engine })
    let kills = 0
    const crew = async () => {
      while (kills < 64) {
        kills += 1
        const worker: Child = child(t, 'limit/work.ts', { args: [limit.name] })
        await worker.next()
        await sleep(Math.random() * 20)
        worker.kill('SIGKILL')
        await worker.exit
      }
    }
    await Promise.all(Array.from({ length: 6 }, crew))
    t.is(freeOf(limit), permits)
    // Each of the permits can be held again.
    const held = Array.from({ length: permits + 1 }, () => limit.tryAcquire())
    t.deepEqual(
      held.map(permit => permit !== null),
      [true, true, true, true, false],
    )
    for (const permit of held) permit?.release()
    t.is(freeOf(limit), permits)
  },
)

onEachEngine(linux)('the permit of a killed holder goes to the waiter', async (t, engine) => {
  const limit = ownLimit(t, 1, { engine })
  for (let round = 0; round < 3; round++) {
    const holder = remote(t, 'open', limit.name)
    t.is(await holder.call('acquire'), 1)
    const waiting = limit.acquire({ timeout: 15_000 })
    await until('it waits', () => limit.info().waiters === 1)
    holder.child.kill('SIGKILL')
    const permit = await waiting
    permit.release()
  }
  t.is(freeOf(limit), 1)
})

onEachEngine(linux)('a process that is killed while it waits takes nothing', async (t, engine) => {
  const limit = ownLimit(t, 0, { engine })
  const waiting = remote(t, 'open', limit.name)
  void waiting.call('acquire').catch(() => {})
  void waiting.call('resize', 0).catch(() => {})
  await until('it waits', () => limit.info().waiters === 1)
  waiting.child.kill('SIGKILL')
  await waiting.child.exit
  await limit.resize(1)
  t.is(freeOf(limit), 1)
  t.is(limit.info().waiters, 0)
})

onEachEngine(linux)(
  'a process that is stopped and continued keeps its permit and its wait',
  async (t, engine) => {
    const limit = ownLimit(t, 1, { engine })
    const stopped = remote(t, 'open', limit.name)
    for (const wait of ['acquire', 'acquireSync']) {
      const held = await limit.acquire()
      const waiting = stopped.call(wait, { timeout: 15_000 })
      await until('it waits', () => limit.info().waiters === 1)
      for (let round = 0; round < 5; round++) {
        stopped.child.kill('SIGSTOP')
        stopped.child.kill('SIGCONT')
      }
      held.release()
      t.is(await waiting, 1)
      t.deepEqual(limit.info().holders, [{ pid: stopped.child.pid, permits: 1 }])
      t.is(await stopped.call('release'), 'done')
    }
    t.is(freeOf(limit), 1)
  },
)

onEachEngine()('the permits of a killed process go to the waiters', async (t, engine) => {
  await Promise.all(
    nodes.map(async node => {
      const limit = ownLimit(t, 2, { engine })
      const holder = child(t, 'shared/hold.ts', { node, args: [limit.name] })
      t.is(await holder.next(), 'held')
      t.deepEqual(limit.info().holders, [{ pid: holder.pid, permits: 2 }])
      const waiting = limit.acquire()
      holder.kill('SIGKILL')
      ;(await waiting).release()
      t.is((await holder.exit).signal, 'SIGKILL')
      await until('both are back', () => freeOf(limit) === 2)
      t.deepEqual(limit.info().holders, [])
    }),
  )
})

for (const end of ['exit', 'throw', 'end']) {
  onEachEngine()(`the permits of a process come back when it ends: ${end}`, async (t, engine) => {
    await Promise.all(
      nodes.map(async node => {
        const limit = ownLimit(t, 2, { engine })
        const holder = child(t, 'shared/hold.ts', { node, args: [limit.name] })
        t.is(await holder.next(), 'held')
        t.is(freeOf(limit), 0)
        holder.send(end)
        t.is((await holder.exit).code, end === 'throw' ? 1 : 0)
        t.is(freeOf(limit), 2)
      }),
    )
  })
}

onEachEngine()('an exit listener may release permits', async (t, engine) => {
  const limit = ownLimit(t, 2, { engine })
  const holder = child(t, 'shared/hold.ts', { args: [limit.name, 'release-at-exit'] })
  t.is(await holder.next(), 'held')
  holder.send('exit')
  t.is(await holder.next(), 'released')
  t.like(await holder.exit, { code: 0, stderr: '' })
  t.is(freeOf(limit), 2)
})

for (const keeps of ['ref', 'unref']) {
  onEachEngine()(
    `a permit that a process won and did not collect comes back when it is killed (${keeps})`,
    async (t, engine) => {
      const limit = ownLimit(t, 1, { engine })
      const held = limit.tryAcquire()
      const winner = child(t, 'limit/win-uncollected.ts', { args: [limit.name, keeps] })
      t.is(await winner.next(), 'waiting')
      await until('it waits', () => limit.info().waiters === 1)
      held?.release()
      await until('it won', () => limit.info().holders?.[0]?.pid === winner.pid)
      winner.kill('SIGKILL')
      await winner.exit
      await until('the permit is back', () => freeOf(limit) === 1)
    },
  )
}

onEachEngine().serial('processes killed at any moment conserve the permits', async (t, engine) => {
  const limit = ownLimit(t, 4, { engine })
  const started: Child[] = []
  let kills = 0
  const start = () => {
    const node = nodes[kills % nodes.length] as (typeof nodes)[number]
    started.push(child(t, 'limit/permits-only.ts', { node, args: [limit.name, 4], limit: 60_000 }))
  }
  for (let i = 0; i < 6; i++) start()
  for (; kills < 40; kills++) {
    const victim = started[kills] as Child
    await victim.until('started')
    await sleep(Math.random() * 20)
    victim.kill('SIGKILL')
    start()
  }
  for (const last of started.slice(kills)) last.kill('SIGKILL')
  // A killed process still waits in the line until its last thread has ended.
  await Promise.all(started.map(process => process.exit))
  await until('4 permits are free', () => freeOf(limit) === 4)
  t.like(limit.info(), { waiters: 0, holders: [], unnamed: 0 })
})
