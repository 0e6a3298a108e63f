// sem_post wakes one waiter: if that one is killed before it takes the unit, another waiter gets it.

import { readFileSync } from 'node:fs'

import { Semaphore } from '../../index.js'
import { removeNamed, uniqueName } from '../shared/names.ts'
import { linux, requires } from '../shared/requires.ts'
import { until } from '../shared/until.ts'
import { remote } from './helpers/remote.ts'

/** The waiter that is killed does not always lose the race. */
const ROUNDS = 6

const POSIX = { backend: 'posix' } as const

/** The processes that sleep on a semaphore, as glibc counts them in its second word. */
const sleepersOf = (name: string) => readFileSync(`/dev/shm/sem.${name.slice(1)}`).readUInt32LE(4)

for (const call of ['wait', 'waitSync']) {
  requires(linux)(`a unit is not left beside a waiter when the woken one is killed (${call})`, async t => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const name = uniqueName(t)
      t.teardown(() => removeNamed(name))
      using semaphore = Semaphore.create(name, { initial: 0, ...POSIX })
      const [killed, other] = [remote(t, 'open', name, POSIX), remote(t, 'open', name, POSIX)]
      killed.call(call).catch(() => {})
      await until('one sleeps', () => sleepersOf(name) === 1)
      let got = false
      void other.call(call).then(() => (got = true))
      await until('both sleep', () => sleepersOf(name) === 2)
      semaphore.post()
      killed.child.kill('SIGKILL')
      await killed.child.exit
      await until('one of the two has taken the unit', () => got || semaphore.value === 0)
      if (!got) semaphore.post()
      await until('the other one is done', () => got)
      other.child.send(null)
      await other.child.exit
    }
    t.pass()
  })
}
