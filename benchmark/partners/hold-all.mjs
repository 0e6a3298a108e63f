// Holds the permits of many limits, gives all of them back on a message, and takes them again:
// `hold-all.mjs OBJECT ENGINE COUNT`.

import { Limit } from '../shared/ours.mjs'
import { ready } from './channel.mjs'

const [, , object, engine, count] = process.argv
const limits = Array.from({ length: Number(count) }, (_, index) =>
  Limit.open(`${object}-${index}`, { engine }),
)
let permits = limits.map(limit => limit.tryAcquire())
process.on('message', async () => {
  for (const permit of permits) permit.release()
  permits = await Promise.all(limits.map(limit => limit.acquire()))
  process.send('held')
})
ready()
