// Two programs that no trial touches: they pass a line to each other, with 1 ms of work between. When they pause, it is the
// machine that pauses: programs that wait for each other get no processor. Prints each pause, in milliseconds since the epoch.

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** Shorter pauses are not printed: two steps of the scheduler on a busy machine. */
const SHORTEST = 10

function work(): void {
  for (const until = performance.now() + 1; performance.now() < until; );
}

if (process.argv[2] === 'partner') {
  for await (const line of createInterface({ input: process.stdin })) {
    work()
    process.stdout.write(`${line}\n`)
  }
} else {
  const partner = spawn(process.execPath, [...process.execArgv, import.meta.filename, 'partner'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let since: number | undefined
  partner.stdin.on('error', () => {})
  partner.stdin.write('go\n')
  for await (const line of createInterface({ input: partner.stdout })) {
    const now = performance.timeOrigin + performance.now()
    if (since === undefined) process.stdout.write('"ready"\n')
    else if (now - since >= SHORTEST) process.stdout.write(`${JSON.stringify([since, now])}\n`)
    since = now
    work()
    partner.stdin.write(`${line}\n`)
  }
}
