// The other end of the hand-over: `echo.mjs OBJECT BACKEND async|unref|sync`.

import { Semaphore } from '../shared/ours.mjs'
import { ready } from './channel.mjs'

const [, , object, backend, how] = process.argv
const there = Semaphore.open(`${object}-a`, { backend })
const back = Semaphore.open(`${object}-b`, { backend })
ready()
if (how === 'sync') {
  for (;;) {
    // With a limit, because a blocked thread does not notice that its parent is gone.
    try {
      there.waitSync({ timeout: 60_000 })
    } catch {
      process.exit(0)
    }
    back.post()
  }
}
if (how === 'unref') {
  there.unref()
  setInterval(() => {}, 60_000)
}
for (;;) {
  await there.wait()
  back.post()
}
