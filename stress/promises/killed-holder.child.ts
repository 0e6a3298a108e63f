// Takes every permit of a limit, in one of three ways, and holds them until it is killed.

import { Limit } from '../../index.js'

const [name = '', how] = process.argv.slice(2)
const limit = Limit.open(name)
setInterval(() => {}, 1_000)
if (how === 'try') {
  while (limit.tryAcquire());
} else {
  // Waits that the kernel has to end: this process first takes all permits, then gives them back itself.
  const taken = [limit.tryAcquire(), limit.tryAcquire(), limit.tryAcquire()]
  if (how === 'own') limit.unref()
  const waiting = taken.map(() => limit.acquire())
  for (const permit of taken) permit?.release()
  await Promise.all(waiting)
}
process.stdout.write('"held"\n')
