import { truncateSync } from 'node:fs'

import { SharedMemory } from '../../index.js'
import { uniqueName } from '../../__test__/shared/names.ts'
import { random } from '../figures.ts'
import { child } from '../program.ts'
import type { Promised, Trial } from '../promise.ts'

const SIZE = 64 * 1024

const promised: Promised = {
  promise:
    'a peer truncates memory: `read`, `write` and `toBuffer` throw ERR_TRUNCATED, and the process lives',
  trials: { long: 1_000, short: 100 },
  async run(trial) {
    const told = afterTheCut(trial)
    const met = await meanwhile(trial)
    return `${told} calls after a cut, all ERR_TRUNCATED; of those that met a cut ${met.thrown} threw and ${met.done} were done`
  },
}
export default promised

/** Uses memory after it was truncated: every call beyond the end throws, and a call on the rest still works. */
function afterTheCut(trial: Trial): number {
  let told = 0
  for (let turn = 0; turn < trial.count; turn += 1) {
    const name = uniqueName(trial)
    using memory = SharedMemory.create(name, { size: SIZE })
    const view = turn % 2 === 0 ? new Uint8Array(memory.buffer) : undefined
    const left = random(SIZE)
    truncateSync(`/dev/shm${name}`, left)
    for (const call of [
      () => memory.read(Buffer.alloc(SIZE)),
      () => memory.write(Buffer.alloc(SIZE)),
      () => memory.toBuffer(),
      () => memory.write('x', SIZE - 1),
      () => memory.clear(),
    ]) {
      const code = codeOf(call)
      if (code === 'ERR_TRUNCATED') told += 1
      else trial.lost(`cut to ${left}: ${code}`)
    }
    if (left > 0 && codeOf(() => memory.toBuffer(0, left)) !== undefined)
      trial.lost('what is left cannot be read')
    // A view reads zeros from the missing pages, without a SIGBUS.
    if (view !== undefined && view[SIZE - 1] !== 0) trial.lost('a view shows what is gone')
    memory.unlink()
    trial.made()
  }
  return told
}

/** Uses memory that another process truncates and grows all the time: a call succeeds or throws. */
async function meanwhile(trial: Trial): Promise<{ thrown: number; done: number }> {
  const name = uniqueName(trial)
  using memory = SharedMemory.create(name, { size: SIZE })
  const cutter = child(trial, 'truncated-memory', { args: [name, SIZE] })
  await cutter.next()
  const counts = { thrown: 0, done: 0 }
  const bytes = Buffer.alloc(SIZE, 1)
  for (let turn = 0; turn < trial.count * 20; turn += 1) {
    const call = [
      () => memory.read(bytes),
      () => memory.write(bytes),
      () => memory.toBuffer(),
      () => memory.clear(),
    ][turn % 4]
    const code = codeOf(call ?? (() => {}))
    if (code === 'ERR_TRUNCATED') counts.thrown += 1
    else if (code === undefined) counts.done += 1
    else trial.lost(`meanwhile: ${code}`)
  }
  cutter.kill()
  await cutter.exit
  memory.unlink()
  return counts
}

function codeOf(call: () => unknown): string | undefined {
  try {
    call()
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error)
  }
}
