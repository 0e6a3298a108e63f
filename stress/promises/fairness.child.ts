// Takes a permit, holds it for 10 ms, gives it back and repeats that for some seconds; prints how often it did.

import { Limit } from '../../index.js'
import { heard, say } from '../../__test__/shared/fixture.ts'

const [name = '', lane, seconds] = process.argv.slice(2)
const limit = Limit.open(name)
const never = new Int32Array(new SharedArrayBuffer(4))
say('ready')
await heard()
const alive = setInterval(() => {}, 1_000)
if (lane === 'own') limit.unref()
const until = performance.now() + Number(seconds) * 1000
let turns = 0
while (performance.now() < until) {
  using _permit = await limit.acquire()
  Atomics.wait(never, 0, 0, 10)
  turns += 1
}
say(turns)
clearInterval(alive)
