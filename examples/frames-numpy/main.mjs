// Node sends frames to numpy through one channel, and gets their means back through another.
// node examples/frames-numpy/main.mjs [PYTHON]

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

import { Channel } from 'os-ipc'

const [python = 'python3'] = process.argv.slice(2)
const [FRAMES, ROWS, COLUMNS] = [50, 480, 640]
const BYTES = ROWS * COLUMNS * 4

const frames = Channel.create('/example-frames-numpy', { capacity: 4 * BYTES, codec: 'bytes' })
const means = Channel.create('/example-frames-means', { capacity: 4096 })
try {
  const script = fileURLToPath(new URL('frames.py', import.meta.url))
  const args = [script, frames.name, means.name, ROWS, COLUMNS].map(String)
  const numpy = spawn(python, args, { stdio: 'inherit' })
  const ended = once(numpy, 'exit')
  const gone = new AbortController() // aborts when no program receives the frames any more
  ended.then(
    () => gone.abort(new Error('the Python program is gone')),
    error => gone.abort(error),
  )

  const draw = frame => view => {
    new Float32Array(view.buffer, view.byteOffset, ROWS * COLUMNS).fill(frame)
  }
  for (let frame = 0; frame < FRAMES; frame++)
    await frames.sendWith(BYTES, draw(frame), { signal: gone.signal })
  frames.end()

  let sum = 0
  for (let frame = 0; frame < FRAMES; frame++) {
    const { mean } = await means.receive({ signal: gone.signal })
    sum += mean
  }
  const [code] = await ended
  console.log(`node: ${FRAMES} means, sum ${sum}`)
  process.exitCode = code
} finally {
  frames.unlink()
  means.unlink()
}
