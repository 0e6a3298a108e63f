// A killed process holds no units afterwards: the kernel returns them (System V).

import test from 'ava'

import { backends, ownSemaphore } from '../shared/backends.ts'
import { child } from '../shared/child.ts'
import { nodes } from '../shared/nodes.ts'
import { requires, systemV } from '../shared/requires.ts'
import { until } from '../shared/until.ts'

for (const backend of backends) {
  test(`units taken with wait stay taken when the process ends (${backend})`, async t => {
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

for (const keeps of ['ref', 'unref']) {
  requires(systemV)(
    `a unit that a process won and did not collect comes back when it is killed (${keeps})`,
    async t => {
      const semaphore = ownSemaphore(t)
      const args = [semaphore.backend, semaphore.name, keeps]
      const winner = child(t, 'waiting/win-uncollected.ts', { args })
      t.is(await winner.next(), 'waiting')
      await until('it waits', () => semaphore.info().waiters === 1)
      semaphore.post()
      await until('it won', () => semaphore.value === 0)
      winner.kill('SIGKILL')
      await winner.exit
      await until('the unit is back', () => semaphore.value === 1)
    },
  )

  test(`a process that is killed while it waits takes nothing (${keeps})`, async t => {
    const semaphore = ownSemaphore(t)
    const args = [semaphore.backend, semaphore.name, keeps]
    const waiter = child(t, 'waiting/win-uncollected.ts', { args })
    await until('it waits', () => semaphore.info().waiters === 1)
    waiter.kill('SIGKILL')
    await waiter.exit
    semaphore.post()
    t.is(semaphore.value, 1)
    t.is(semaphore.info().waiters, 0)
  })
}
