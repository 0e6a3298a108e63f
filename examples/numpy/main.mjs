// Node and Python share a numpy array: Node makes an image, numpy brightens it in place.
// node examples/numpy/main.mjs [PYTHON]

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import { SharedMemory } from 'os-ipc'

const [python = 'python3'] = process.argv.slice(2)
const [ROWS, COLUMNS] = [480, 640]

const memory = SharedMemory.create('/example-image', { size: ROWS * COLUMNS * 8 })
try {
  const image = new Float64Array(memory.buffer, 0, ROWS * COLUMNS)
  for (let pixel = 0; pixel < image.length; pixel++) image[pixel] = pixel % 256
  console.log(`node: ${sum(image)}`)

  const script = fileURLToPath(new URL('brighten.py', import.meta.url))
  const args = [script, 'example-image', ROWS, COLUMNS].map(String)
  const { status, error } = spawnSync(python, args, { stdio: 'inherit' })
  if (error) throw error
  process.exitCode = status

  console.log(`node: ${sum(image)}`)
} finally {
  memory.unlink()
}

function sum(array) {
  return array.reduce((total, value) => total + value, 0)
}
