// Waits 500 times, and ends as it is told to.

import { Semaphore } from '../../index.js'
import { heard, say } from '../../__test__/shared/fixture.ts'

const [prefix = '', count, how] = process.argv.slice(2)
const semaphores = Array.from({ length: Number(count) }, (_, i) => Semaphore.open(`${prefix}-${i}`))
for (const semaphore of semaphores) for (let wait = 0; wait < 5; wait += 1) void semaphore.wait()
// By then most of the waits are in the kernel.
await new Promise(resolve => setTimeout(resolve, 20))
say('waiting')
await heard()
switch (how) {
  case 'exit':
    process.exit(0)
    break
  case 'uncaught':
    setImmediate(() => {
      throw new Error('uncaught')
    })
    break
  case 'unref':
    for (const semaphore of semaphores) semaphore.unref()
}
