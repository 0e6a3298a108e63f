// The reader of messages: `receive.mjs OBJECT`.

import { BYTES, sum } from '../shared/fill.mjs'
import { Semaphore, SharedMemory } from '../shared/ours.mjs'
import { ready } from './channel.mjs'

const [, , object] = process.argv
const full = Semaphore.open(`${object}-a`)
const empty = Semaphore.open(`${object}-b`)
const memory = SharedMemory.open(object)
const target = Buffer.alloc(BYTES)
process.on('message', () => process.send(sum(target)))
ready()
for (;;) {
  await full.wait()
  memory.read(target)
  empty.post()
}
