// Memory between Node and Python: Node writes four numbers, Python doubles them in place.
// node examples/memory-python.mjs

import { spawnSync } from 'node:child_process'

import { SharedMemory } from 'os-ipc'

const PYTHON = `
import struct
from multiprocessing import resource_tracker, shared_memory

memory = shared_memory.SharedMemory("example-numbers")
resource_tracker.unregister(memory._name, "shared_memory")  # or Python removes what Node made
numbers = struct.unpack_from("<4d", memory.buf)
struct.pack_into("<4d", memory.buf, 0, *(2 * number for number in numbers))
memory.close()
`

const memory = SharedMemory.create('/example-numbers', { size: 4096 })
try {
  const numbers = new Float64Array(memory.buffer, 0, 4)
  numbers.set([1, 2.5, -3, 1e6])
  spawnSync('python3', ['-c', PYTHON], { stdio: 'inherit' })
  console.log(numbers.join(' '))
} finally {
  memory.unlink()
}
