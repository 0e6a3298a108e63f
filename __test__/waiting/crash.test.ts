// A process that is killed holds nothing afterwards: the kernel gives its units back (System V).

import { setTimeout as sleep } from 'node:timers/promises'

import test from 'ava'

import { capabilities } from '../../index.js'
import { backends, ownSemaphore } from '../shared/backends.ts'
import { type Child, child } from '../shared/child.ts'
import { nodes } from '../shared/nodes.ts'
import { until } from '../shared/until.ts'

test('the permits of a process that is killed come back', async t => {
  await Promise.all(
    nodes.map(async node => {
      const semaphore = ownSemaphore(t, 'sysv', 2)
      const holder = child(t, 'shared/hold.ts', { node, args: ['sysv', semaphore.name] })
      t.is(await holder.next(), 'held')
      t.is(semaphore.value, 0)
      const waiting = semaphore.acquire()
      holder.kill('SIGKILL')
      ;(await waiting).release()
      t.is((await holder.exit).signal, 'SIGKILL')
      await until('both are back', () => semaphore.value === 2)
    }),
  )
})

for (const end of ['exit', 'throw', 'end']) {
  for (const backend of backends) {
    test(`the permits of a process come back when it ends: ${end} (${backend})`, async t => {
      await Promise.all(
        nodes.map(async node => {
          const semaphore = ownSemaphore(t, backend, 2)
          const holder = child(t, 'shared/hold.ts', { node, args: [backend, semaphore.name] })
          t.is(await holder.next(), 'held')
          t.is(semaphore.value, 0)
          holder.send(end)
          t.is((await holder.exit).code, end === 'throw' ? 1 : 0)
          t.is(semaphore.value, 2)
        }),
      )
    })
  }
}

for (const backend of backends) {
  test(`an exit listener may release permits (${backend})`, async t => {
    const semaphore = ownSemaphore(t, backend, 2)
    const holder = child(t, 'shared/hold.ts', { args: [backend, semaphore.name, 'release-at-exit'] })
    t.is(await holder.next(), 'held')
    holder.send('exit')
    t.is(await holder.next(), 'released')
    t.like(await holder.exit, { code: 0, stderr: '' })
    t.is(semaphore.value, 2)
  })
}

for (const backend of backends) {
  test(`what a process took for good stays taken when it ends (${backend})`, async t => {
    await Promise.all(
      nodes.map(async node => {
        const semaphore = ownSemaphore(t, backend, 2)
        const taker = child(t, 'waiting/take-for-good.ts', { node, args: [backend, semaphore.name] })
        for (const line of ['waiting', 'one more']) {
          t.is(await taker.next(), line)
          semaphore.post()
        }
        t.is((await taker.exit).code, 0)
        t.is(semaphore.value, 0)
      }),
    )
  })
}

test('the permits of a process that is killed are lost on POSIX, as capabilities says', async t => {
  const semaphore = ownSemaphore(t, 'posix', 2)
  const holder = child(t, 'shared/hold.ts', { args: ['posix', semaphore.name] })
  t.is(await holder.next(), 'held')
  holder.kill('SIGKILL')
  await holder.exit
  t.is(semaphore.value, 0)
  t.deepEqual(capabilities.crashRecovery, { sysv: true, posix: false })
})

for (const take of ['wait', 'acquire']) {
  for (const keeps of ['ref', 'unref']) {
    test(`a unit that a process won and did not collect comes back when it is killed (${take}, ${keeps})`, async t => {
      const semaphore = ownSemaphore(t)
      const winner = child(t, 'waiting/win-uncollected.ts', { args: ['sysv', semaphore.name, take, keeps] })
      t.is(await winner.next(), 'waiting')
      await until('it waits', () => semaphore.info().waiters === 1)
      await sleep(10) // it collects nothing from now on
      semaphore.post()
      await until('it won', () => semaphore.value === 0)
      winner.kill('SIGKILL')
      await winner.exit
      await until('the unit is back', () => semaphore.value === 1)
    })

    test(`a process that is killed while it waits takes nothing (${take}, ${keeps})`, async t => {
      const semaphore = ownSemaphore(t)
      const waiter = child(t, 'waiting/win-uncollected.ts', { args: ['sysv', semaphore.name, take, keeps] })
      await until('it waits', () => semaphore.info().waiters === 1)
      waiter.kill('SIGKILL')
      await waiter.exit
      semaphore.post()
      t.is(semaphore.value, 1)
      t.is(semaphore.info().waiters, 0)
    })
  }
}

test.serial('processes killed at any moment conserve the value', async t => {
  const semaphore = ownSemaphore(t, 'sysv', 4)
  const running: Child[] = []
  let kills = 0
  const start = () => {
    const node = nodes[kills % nodes.length] as (typeof nodes)[number]
    running.push(child(t, 'waiting/permits-only.ts', { node, args: [semaphore.name, 4], limit: 60_000 }))
  }
  for (let i = 0; i < 6; i++) start()
  for (; kills < 40; kills++) {
    const victim = running.shift() as Child
    await victim.until('started')
    await sleep(Math.random() * 20)
    victim.kill('SIGKILL')
    start()
  }
  for (const last of running) last.kill('SIGKILL')
  await Promise.all(running.map(last => last.exit))
  await until('4 units are there', () => semaphore.value === 4)
  t.is(semaphore.info().waiters, 0)
})
