// Opens or makes each semaphore of a row at the same moment as other racers, and posts to it once. The last racer only
// opens what another one makes. Each keeps the semaphore open until the next race, when the parent has read it: on
// Windows a semaphore ends with its last handle.

import { Semaphore } from '../../index.js'

const [prefix = '', racer, count, initial] = process.argv.slice(2)
const gate = Semaphore.open(`${prefix}-gate-${racer}`)
const done = Semaphore.open(`${prefix}-done`)
gate.waitSync()
for (let race = 0; race < Number(count); race += 1) {
  using semaphore = racer === '2' ? opened(`${prefix}-${race}`) : enter(`${prefix}-${race}`)
  semaphore.post()
  done.post()
  gate.waitSync()
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
