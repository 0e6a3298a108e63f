// Takes every permit of a semaphore, in one of three ways, and holds them until it is killed.

import { Semaphore } from '../../index.js'

const [name = '', how] = process.argv.slice(2)
const semaphore = Semaphore.open(name)
setInterval(() => {}, 1_000)
if (how === 'try') {
  while (semaphore.tryAcquire());
} else {
  // Waits that the kernel has to end: with all units taken first, then given back by this process itself.
  const taken = [semaphore.tryAcquire(), semaphore.tryAcquire(), semaphore.tryAcquire()]
  if (how === 'own') semaphore.unref()
  const waiting = taken.map(() => semaphore.acquire())
  for (const permit of taken) permit?.release()
  await Promise.all(waiting)
}
process.stdout.write('"held"\n')
