// Makes semaphores or segments until the host has no room for more, and prints the error.

import { Semaphore, SharedMemory } from '../../index.js'
import { say } from '../../__test__/shared/fixture.ts'

process.removeAllListeners('warning')
let made = 0
let verified: boolean | null = null
try {
  for (;;) {
    if (process.argv[2] === 'segments') SharedMemory.create(1000 + made, { size: 4096 })
    else {
      const semaphore = Semaphore.create(`/limit-${made}`, { initial: 1 })
      verified = semaphore.info().verified
    }
    made += 1
  }
} catch (error) {
  const { code, syscall, hint } = error as { code: string; syscall: string; hint: string }
  say({ code, syscall, hint, made, verified })
}
