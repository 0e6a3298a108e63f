// Node and Go pass frames: Node draws 200 frames into a ring of four, Go adds up their bytes.
// node examples/frames-go/main.mjs

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

import { Semaphore, SharedMemory } from 'os-ipc'

const FRAMES = 200
const SIZE = 640 * 480
const PLACES = 4

const ring = SharedMemory.create('/example-frames', { size: PLACES * SIZE })
const free = Semaphore.create('/example-frames-free', { initial: PLACES })
const full = Semaphore.create('/example-frames-full', { initial: 0 })

try {
  const args = ['run', '-buildvcs=false', '.', String(FRAMES), String(SIZE), String(PLACES)]
  const go = spawn('go', args, { cwd: fileURLToPath(new URL('go', import.meta.url)), stdio: 'inherit' })
  const ended = once(go, 'exit')
  const gone = new AbortController() // aborts when no reader empties the ring any more
  ended.then(
    () => gone.abort(new Error('the Go program is gone')),
    error => gone.abort(error),
  )

  const bytes = new Uint8Array(ring.buffer, 0, PLACES * SIZE)
  let sum = 0
  for (let frame = 0; frame < FRAMES; frame++) {
    await free.wait({ signal: gone.signal })
    const place = (frame % PLACES) * SIZE
    bytes.fill(frame % 251, place, place + SIZE)
    sum += (frame % 251) * SIZE
    full.post()
  }
  const [code] = await ended
  console.log(`node: ${FRAMES} frames, sum ${sum}`)
  process.exitCode = code
} finally {
  ring.unlink()
  free.unlink()
  full.unlink()
}
