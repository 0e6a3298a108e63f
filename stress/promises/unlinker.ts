import { setTimeout as sleep } from 'node:timers/promises'

import { Semaphore } from '../../index.js'
import { uniqueName } from '../../__test__/shared/names.ts'
import { child } from '../program.ts'
import type { Promised } from '../promise.ts'

const PROCESSES = 4

const promised: Promised = {
  promise:
    'another process unlinks 1,000 times a second: `openOrCreate`, `post` and `wait` succeed or fail with EIDRM or ENOENT, and none hangs',
  trials: { long: 10, short: 2 },
  async run(trial) {
    const name = uniqueName(trial)
    const users = Array.from({ length: PROCESSES }, () =>
      child(trial, 'unlinker', { args: [name, trial.count] }),
    )
    for (const user of users) if ((await user.next()) !== 'ready') throw new Error('a user did not start')
    for (const user of users) user.send('go')
    const until = performance.now() + trial.count * 1000
    let removed = 0
    while (performance.now() < until) {
      const end = performance.now() + 1000
      while (performance.now() < end) {
        if (Semaphore.unlink(name)) removed += 1
        await sleep(1)
      }
      trial.made()
    }
    // No wait lasts for ever: a pending wait gets the error of the last removal or a unit of the last post.
    const last = setInterval(() => Semaphore.unlink(name), 1)
    const all: Record<string, number> = {}
    for (const user of users) {
      const report = (await Promise.race([user.next(), sleep(10_000, 'hangs')])) as
        | Record<string, number>
        | string
      if (typeof report !== 'object') {
        trial.lost(`a process ${report}`)
        continue
      }
      for (const [what, count] of Object.entries(report)) all[what] = (all[what] ?? 0) + count
    }
    clearInterval(last)
    Semaphore.unlink(name)
    const { operations = 0, ...codes } = all
    for (const [code, count] of Object.entries(codes)) {
      if (code !== 'EIDRM' && code !== 'ENOENT') trial.lost(`${count} times ${code}`)
    }
    const errors = Object.entries(codes).map(([code, count]) => `${count.toLocaleString('en')} ${code}`)
    return `${removed.toLocaleString('en')} removals, ${operations.toLocaleString('en')} operations that were done, ${errors.join(', ')}`
  },
}
export default promised
