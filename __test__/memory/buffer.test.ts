// Access without copies: views and atomics. No operation on an ArrayBuffer can end the process.

import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import test, { type ExecutionContext } from 'ava'

import { capabilities, SharedMemory } from '../../index.js'
import { child } from '../shared/child.ts'
import { kinds } from './helpers/memory.ts'
import { uniqueName } from '../shared/names.ts'
import { nodes } from '../shared/nodes.ts'
import { linux, requires } from '../shared/requires.ts'

test('external buffers are allowed here', t => {
  t.true(capabilities.externalBuffers)
})

for (const { kind, uniqueId } of kinds) {
  test(`buffer is the memory itself, and the same object at every access (${kind})`, t => {
    const id = uniqueId(t)
    using memory = SharedMemory.create(id, { size: 5000 })
    using other = SharedMemory.open(id)
    t.is(memory.buffer, memory.buffer)
    t.not(memory.buffer, other.buffer)
    t.true(memory.buffer instanceof ArrayBuffer)
    t.is(memory.buffer.byteLength, 5000)
    new Uint8Array(memory.buffer)[4999] = 42
    t.is(new Uint8Array(other.buffer)[4999], 42)
    other.write('x', 4999)
    t.is(new Uint8Array(memory.buffer)[4999], 120)
  })

  test(`views have length 0 after close, and other processes keep the memory (${kind})`, t => {
    const id = uniqueId(t)
    const memory = SharedMemory.create(id, { size: 64 })
    using other = SharedMemory.open(id)
    const { buffer } = memory
    const views = [new Uint8Array(buffer), new Float64Array(buffer, 8, 2), Buffer.from(buffer)]
    memory.write('kept')
    memory.close()
    for (const view of views) t.is(view.length, 0)
    t.is(buffer.byteLength, 0)
    t.is(memory.buffer, buffer)
    t.is(views[0]?.[0], undefined)
    t.throws(() => new DataView(buffer), { instanceOf: TypeError })
    t.is(other.toBuffer(0, 4).toString(), 'kept')
    if (kind === 'sysv') t.is(other.info().attached, 1)
  })

  test(`atomic additions of two processes are all counted (${kind})`, async t => {
    const id = uniqueId(t)
    using memory = SharedMemory.create(id, { size: 4096 })
    const times = 1_000_000
    const adders = [0, 1].map(() => child(t, 'memory/add.ts', { args: [JSON.stringify(id), times] }))
    for (const adder of adders) t.is(await adder.next(), 'ready')
    for (const adder of adders) adder.send('go')
    for (const adder of adders) t.is(await adder.next(), 'done')
    t.is(new Int32Array(memory.buffer)[0], 2 * times)
  })

  for (const node of nodes) {
    const play = (t: ExecutionContext, scene: string) =>
      child(t, 'memory/gc.ts', {
        args: [scene, JSON.stringify(uniqueId(t))],
        node,
        nodeArgs: ['--expose-gc'],
      })
    const expected: Record<string, unknown[][]> = {
      'detached with a view': [[0, 0], [0]],
      'dropped with a view in use': [[1, 120], [0]],
      'dropped without a view': [[1], [0]],
      transferred: [[1, 120], [1, 120], [0]],
      'transferred and cloned': [[1, 120], [0]],
      'posted to a worker': [[120], [0]],
      // A buffer that left its environment before the end of that is valid and zero: Node does not tell whether it is still used.
      'received from a worker that ended': [[0, 0]],
      'viewed by a worker that ended': [[1], [0]],
    }
    for (const [scene, steps] of Object.entries(expected)) {
      requires(linux)(
        `memory ${scene} is valid while it is used, and unmapped afterwards (${kind}, Node ${node.major})`,
        async t => {
          const played = play(t, scene)
          const { code, signal, stdout, stderr } = await played.exit
          t.deepEqual({ code, signal }, { code: 0, signal: null }, stderr)
          t.deepEqual(
            stdout
              .trim()
              .split('\n')
              .map(line => JSON.parse(line)),
            steps,
          )
        },
      )
    }
  }
}

for (const node of nodes) {
  for (const direction of ['write', 'read'] as const) {
    requires(linux)(`detach during a file ${direction} does no harm (Node ${node.major})`, async t => {
      const fifo = join(tmpdir(), uniqueName(t).slice(1))
      t.teardown(() => rmSync(fifo, { force: true }))
      t.is(spawnSync('mkfifo', [fifo]).status, 0)
      const args = [direction, fifo, JSON.stringify(uniqueName(t))]
      const io = child(t, 'memory/io.ts', { args, node, nodeArgs: ['--expose-gc'] })
      const file = await open(fifo, direction === 'write' ? 'r' : 'w')
      t.teardown(() => file.close().catch(() => {}))
      t.is(await io.next(), 'under way')
      const bytes = Buffer.alloc(1 << 20, 0x55)
      let read = 0
      // Its first byte shows that the thread of libuv's pool is writing.
      if (direction === 'write') read = (await file.read(bytes, 0, 1)).bytesRead
      io.send('detach')
      t.is(await io.next(), 'detached')

      if (direction === 'write') {
        while (read < bytes.length) {
          const { bytesRead } = await file.read(bytes, read)
          if (bytesRead === 0) break
          read += bytesRead
        }
        t.is(read, 1 << 20)
        t.is(bytes[0], 0xaa, 'the bytes written before are those of the memory')
        t.is(bytes.at(-1), 0, 'the bytes written afterwards are zeros')
        t.deepEqual(await io.next(), { bytes: 1 << 20, length: 0 })
      } else {
        await file.write(bytes, 0, 4096)
        t.deepEqual(await io.next(), { bytes: 4096, length: 0 })
      }
      t.is(await io.next(), true, 'no other memory was hit')
      t.is((await io.exit).code, 0)
    })
  }
}
