// Reads a file again and again while it waits for semaphores, and prints how long each read took.

import { readFile } from 'node:fs/promises'

import { Semaphore } from '../../index.js'
import { say } from '../../__test__/shared/fixture.ts'

const [prefix = '', waits, reads] = process.argv.slice(2)
for (let wait = 0; wait < Number(waits); wait += 1) void Semaphore.open(`${prefix}-${wait % 100}`).wait()
const times: number[] = []
for (let read = 0; read < Number(reads); read += 1) {
  const start = performance.now()
  await readFile(import.meta.filename)
  times.push(performance.now() - start)
}
say(times)
process.exit(0)
