// Opens or makes each semaphore of a row at the same moment as other racers, and posts to it once. The last racer only
// opens what another one makes.

import { Semaphore } from '../../index.js'

const [prefix = '', racer, count, initial] = process.argv.slice(2)
const gate = Semaphore.open(`${prefix}-gate-${racer}`)
const done = Semaphore.open(`${prefix}-done`)
for (let race = 0; race < Number(count); race += 1) {
  gate.waitSync()
  using semaphore = racer === '2' ? opened(`${prefix}-${race}`) : enter(`${prefix}-${race}`)
  semaphore.post()
  done.post()
}

function enter(name: string): Semaphore {
  return Semaphore.openOrCreate(name, { initial: Number(initial) })
}

function opened(name: string): Semaphore {
  for (;;) {
    try {
      return Semaphore.open(name)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
}
