// Node and Go pass frames through a channel: Node draws 200 frames, Go adds up their bytes.
// node examples/frames-go/main.mjs

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

import { Channel } from 'os-ipc'

const FRAMES = 200
const SIZE = 640 * 480

// Four frames fit: send waits while Go is behind.
const frames = Channel.create('/example-frames', { capacity: 4 * SIZE, codec: 'bytes' })

try {
  const cwd = fileURLToPath(new URL('go', import.meta.url))
  const go = spawn('go', ['run', '-buildvcs=false', '.', frames.name], { cwd, stdio: 'inherit' })
  const ended = once(go, 'exit')
  const gone = new AbortController() // aborts when no program receives the frames any more
  ended.then(
    () => gone.abort(new Error('the Go program is gone')),
    error => gone.abort(error),
  )

  let sum = 0
  for (let frame = 0; frame < FRAMES; frame++) {
    await frames.sendWith(SIZE, view => view.fill(frame % 251), { signal: gone.signal }) // drawn in place, without a copy
    sum += (frame % 251) * SIZE
  }
  frames.end()
  const [code] = await ended
  console.log(`node: ${FRAMES} frames, sum ${sum}`)
  process.exitCode = code
} finally {
  frames.unlink()
}
