// Maps memory, has libuv's pool write it to a file and read a file into it, and detaches it meanwhile, or drops it.

import { readdirSync, readFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { devNull } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { SharedMemory } from '../../index.js'
import { say } from '../../__test__/shared/fixture.ts'
import { random } from '../figures.ts'

const [kind, count] = process.argv.slice(2)
setFlagsFromString('--expose-gc')
const gc: () => void = runInNewContext('gc')
const SIZE = 256 * 1024

const sink = await open(devNull, 'w')
// Windows has no file of zeros.
const source = await open(process.platform === 'win32' ? process.execPath : '/dev/zero', 'r')
const alive = setInterval(() => {}, 1_000)

say('made')
for (let warm = 0; warm < 50; warm += 1) await turn(warm)
await settle()
const before = state()
for (let trial = 0; trial < Number(count); trial += 10) {
  await Promise.all(Array.from({ length: 10 }, (_, i) => turn(trial + i)))
  if (random(4) === 0) gc()
  say('made')
}
await settle()
const after = state()
say({
  mappings: after.mappings,
  descriptors: after.descriptors - before.descriptors,
  rss: Math.round((after.rss - before.rss) / (1 << 20)),
})
clearInterval(alive)
await sink.close()
await source.close()

async function turn(trial: number): Promise<void> {
  const id = kind !== 'sysv' ? `/os-ipc-${process.pid}-${trial}` : (process.pid << 12) | (trial & 0xfff)
  const memory = SharedMemory.create(id, { size: SIZE })
  memory.unlink()
  memory.write('x', random(SIZE))
  const view = new Uint8Array(memory.buffer)
  const transfers = [
    sink.write(view),
    source.read(view, 0, SIZE),
    sink.write(new Uint16Array(memory.buffer, 2)),
  ]
  if (trial % 3 !== 0) memory.close()
  else if (random(2) === 0) setImmediate(() => memory.close())
  // Otherwise the memory is dropped for the garbage collector.
  if (trial % 3 !== 0 && view.length !== 0) say(`a view has ${view.length} bytes after detach()`)
  // A write whose view is gone may fail in any way, but must not crash.
  await Promise.allSettled(transfers)
}

async function settle(): Promise<void> {
  for (let round = 0; round < 20; round += 1) {
    gc()
    await sleep(10)
    if (state().mappings === 0) return
  }
}

function state(): { mappings: number; descriptors: number; rss: number } {
  const rss = process.memoryUsage.rss()
  // Only Linux tells of the others.
  if (process.platform !== 'linux') return { mappings: 0, descriptors: 0, rss }
  const maps = readFileSync('/proc/self/maps', 'utf8').split('\n')
  return {
    mappings: maps.filter(line => /\/dev\/shm\/|\/SYSV/.test(line)).length,
    descriptors: readdirSync('/proc/self/fd').length,
    rss,
  }
}
