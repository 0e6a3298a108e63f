// Opens or makes a semaphore, posts to it and waits for it, for some seconds; prints the number of each result.

import { Semaphore } from '../../index.js'
import { heard, say } from '../../__test__/shared/fixture.ts'

const [name = '', seconds] = process.argv.slice(2)
say('ready')
await heard()
const counts: Record<string, number> = { operations: 0 }
const until = performance.now() + Number(seconds) * 1000

while (performance.now() < until) {
  await tried(async () => {
    using semaphore = Semaphore.openOrCreate(name, { initial: 0 })
    await Promise.all([
      tried(() => semaphore.wait()),
      tried(() => semaphore.wait()),
      tried(() => semaphore.post()),
      tried(() => {
        using other = Semaphore.open(name)
        other.post()
      }),
    ])
  })
}
say(counts)
process.exit(0)

async function tried(act: () => void | Promise<void>): Promise<void> {
  let code = 'operations'
  try {
    await act()
  } catch (error) {
    code = (error as NodeJS.ErrnoException).code ?? String(error)
  }
  counts[code] = (counts[code] ?? 0) + 1
}
