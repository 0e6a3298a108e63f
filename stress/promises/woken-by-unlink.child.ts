// Starts several waits at once whenever it is told to, and prints the result of each.

import { Semaphore } from '../../index.js'
import { heard, say } from '../../__test__/shared/fixture.ts'

const [name = '', waits] = process.argv.slice(2)
while ((await heard()) !== undefined) {
  using semaphore = Semaphore.open(name)
  const waiting = Array.from({ length: Number(waits) }, () => semaphore.wait())
  say('waiting')
  const ended = await Promise.allSettled(waiting)
  say(
    ended.map(({ status, reason }: { status: string; reason?: { code: string } }) => reason?.code ?? status),
  )
}
