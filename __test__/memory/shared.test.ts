// A SharedArrayBuffer over memory: threads share it, and nothing detaches it.

import { truncateSync } from 'node:fs'
import { isSharedArrayBuffer } from 'node:util/types'
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'

import test, { type ExecutionContext } from 'ava'

import { capabilities, SharedMemory } from '../../index.js'
import { child } from '../shared/child.ts'
import { uniqueName } from '../shared/names.ts'
import { type NodeBinary, nodes } from '../shared/nodes.ts'
import { linux, requires } from '../shared/requires.ts'
import { kinds } from './helpers/memory.ts'

test('SharedArrayBuffers over memory are allowed here', t => {
  t.true(capabilities.sharedBuffers)
})

for (const { kind, uniqueId } of kinds) {
  test(`shared is the memory itself, and the same object at every access (${kind})`, t => {
    const id = uniqueId(t)
    using memory = SharedMemory.create(id, { size: 5000 })
    using other = SharedMemory.open(id)
    t.true(isSharedArrayBuffer(memory.shared))
    t.is(memory.shared, memory.shared)
    t.not(memory.shared, other.shared)
    t.is(memory.shared.byteLength, 5000)
    new Uint8Array(memory.shared)[4999] = 42
    t.is(new Uint8Array(other.shared)[4999], 42)
    t.is(new Uint8Array(memory.buffer)[4999], 42)
    other.write('x', 4999)
    t.is(new Uint8Array(memory.shared)[4999], 120)
  })

  test(`read and write take views of shared, also of the same memory (${kind})`, t => {
    using memory = SharedMemory.create(uniqueId(t), { size: 64 })
    const view = new Uint8Array(memory.shared)
    memory.write('abc', 10)
    t.is(memory.read(view.subarray(0, 3), 10), 3)
    memory.write(view.subarray(0, 3), 20)
    t.is(memory.toBuffer(20, 3).toString(), 'abc')
  })

  test(`shared outlives close, and buffer does not (${kind})`, t => {
    const id = uniqueId(t)
    const memory = SharedMemory.create(id, { size: 64 })
    using other = SharedMemory.open(id)
    const [shared, buffer] = [new Uint8Array(memory.shared), new Uint8Array(memory.buffer)]
    memory.close()
    t.is(buffer.length, 0)
    t.throws(() => memory.shared, { name: 'IpcError', code: 'ERR_DETACHED' })
    other.write('kept')
    t.is(Buffer.from(shared.subarray(0, 4)).toString(), 'kept')
    shared[0] = 75
    t.is(other.toBuffer(0, 4).toString(), 'Kept')
    if (kind === 'sysv') t.is(other.info().attached, 2)
  })

  test(`read-only and closed memory have no shared (${kind})`, t => {
    const id = uniqueId(t)
    using _memory = SharedMemory.create(id, { size: 64 })
    using reader = SharedMemory.open(id, { readOnly: true })
    t.throws(() => reader.shared, {
      name: 'IpcError',
      code: 'ERR_READ_ONLY',
      message: /no SharedArrayBuffer/,
    })
    const closed = SharedMemory.open(id)
    closed.close()
    t.throws(() => closed.shared, { name: 'IpcError', code: 'ERR_DETACHED' })
  })

  test(`postMessage copies buffer and passes shared on (${kind})`, t => {
    using memory = SharedMemory.create(uniqueId(t), { size: 64 })
    const { port1, port2 } = new MessageChannel()
    port1.postMessage([memory.buffer, memory.shared])
    const posted = receiveMessageOnPort(port2) as { message: [ArrayBuffer, SharedArrayBuffer] }
    const [copy, same] = posted.message
    memory.write('x')
    t.is(new Uint8Array(copy)[0], 0)
    t.is(new Uint8Array(same)[0], 120)
    port1.close()
    t.is(memory.buffer.byteLength, 64, 'it was not transferred')
    t.throws(() => structuredClone(memory.shared, { transfer: [memory.shared as never] }))
  })

  /** What each scene prints: the numbers of mappings, and what the threads read. */
  const expected: Record<string, unknown[]> = {
    'closed with a view in use': [[1, 120], [0]],
    'dropped with a view in use': [[1, 120], [0]],
    'dropped without a view': [[0]],
    'closed while a worker uses it': [[1, 120], [0]],
    'made by a worker that was terminated': [[1, 120, 33], [0]],
    'made by a worker that exited': [[1, 120, 33], [0]],
    'made by a worker that moved its buffer away': [[1, 120, 33], [0]],
    'used by a worker at process.exit': [['exit']],
    'awaited with Atomics.wait': [['ok', 7]],
    'awaited with Atomics.waitAsync': [['ok', 7]],
  }
  for (const node of nodes) {
    for (const [scene, steps] of Object.entries(expected)) {
      requires(linux)(
        `shared memory ${scene} is valid while it is used, and unmapped afterwards (${kind}, Node ${node.major})`,
        async t => {
          const { code, signal, stdout, stderr } = await play(t, scene, uniqueId(t), node).exit
          t.deepEqual({ code, signal }, { code: 0, signal: null }, stderr)
          const lines = stdout.trim().split('\n')
          t.deepEqual(
            lines.map(line => JSON.parse(line)),
            steps,
          )
        },
      )
    }
  }
}

function play(t: ExecutionContext, scene: string, id: string | number, node: NodeBinary) {
  return child(t, 'memory/shared.ts', {
    args: [scene, JSON.stringify(id)],
    node,
    nodeArgs: ['--expose-gc'],
  })
}

requires(linux)('shared beyond a truncation reads zeros until the object is mended, as buffer does', t => {
  const name = uniqueName(t)
  using memory = SharedMemory.create(name, { size: 20_000 })
  const view = new Uint8Array(memory.shared).fill(7)
  truncateSync(`/dev/shm${name}`, 4096)
  t.deepEqual([view[0], view[4095], view[4096], view[19_999]], [7, 7, 0, 0])
  view[10_000] = 9
  t.throws(() => memory.read(new Uint8Array(20_000)), { code: 'ERR_TRUNCATED' })
  truncateSync(`/dev/shm${name}`, 20_000)
  memory.write('shared', 10_000)
  t.is(view[10_000], 's'.charCodeAt(0), 'the pages belong to the object again')
  view[10_001] = 33
  t.is(SharedMemory.open(name).toBuffer(10_001, 1)[0], 33)
})

requires(linux)(
  'a truncation of shared memory ends neither its worker nor the process, even after close',
  async t => {
    await Promise.all(
      nodes.map(async node => {
        const { code, stdout, stderr } = await play(t, 'truncated', uniqueName(t), node).exit
        t.is(code, 0, stderr)
        t.is(stdout, '[0,0,120]\n', `Node ${node.major}`)
      }),
    )
  },
)
