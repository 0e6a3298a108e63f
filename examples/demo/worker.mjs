// One of six processes: takes a permit, takes a slice, hashes it in place, and writes the hash on the board.

import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { Limit, SharedMemory } from 'os-ipc'

import { Board, HASHES, RESTS, WAITS } from './board.mjs'
import { MIDWAY, PAUSE, PIECES, sliceOf } from './plan.mjs'

const [name, number, workers, slices, size] = process.argv.slice(2)
const me = Number(number)

// Ctrl-C reaches every process of the terminal; only main handles it. A worker exits without main.
process.on('SIGINT', () => {})
process.on('disconnect', () => process.exit())

const limit = Limit.open(`${name}-limit`)
// Opened for writing because a view needs that: JavaScript has no read-only ArrayBuffer.
const file = SharedMemory.open(`${name}-file`)
const board = new Board(SharedMemory.open(`${name}-board`).buffer, Number(workers), Number(slices))

while (!board.finished) {
  if (board.hasFreeSlice()) {
    board.setPhase(me, WAITS)
    await limit.use(work)
  }
  board.setPhase(me, RESTS)
  await sleep(5)
}
process.exit()

async function work() {
  board.taken(me)
  const slice = board.claim(me)
  if (slice !== undefined) {
    board.setProgress(me, 0)
    board.setPhase(me, HASHES)
    board.complete(me, slice, await hash(slice))
  }
  board.released(me)
}

/** In pieces with pauses: without them a slice takes a few milliseconds, which is too fast to watch. */
async function hash(slice) {
  const { offset, length } = sliceOf(slice, Number(slices), Number(size))
  const hasher = createHash('sha256')
  for (let piece = 0; piece < PIECES; piece++) {
    const from = Math.floor((length * piece) / PIECES)
    const to = Math.floor((length * (piece + 1)) / PIECES)
    // A view of the shared memory: nothing is copied into this process.
    hasher.update(new Uint8Array(file.buffer, offset + from, to - from))
    const progress = Math.floor((100 * (piece + 1)) / PIECES)
    board.setProgress(me, progress)
    await sleep(PAUSE)
    // Main may have had no processor: without a slice that waits for it, it could kill nobody.
    while (progress <= MIDWAY && board.awaitsStrike) await sleep(PAUSE)
  }
  return hasher.digest()
}
