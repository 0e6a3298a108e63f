import { once } from 'node:events'

import { cannot, go, bareCalls, node, python } from '../shared/contenders.mjs'
import { BYTES, fill } from '../shared/fill.mjs'
import { channelTo, oneByOne } from '../shared/messages.mjs'
import { partner } from '../shared/partner.mjs'
import { inProcess, onlyLocks } from '../shared/reasons.mjs'
import { socketTo } from '../shared/socket.mjs'
import { ratio, reported } from '../shared/targets.mjs'

const messages = connected => oneByOne(BYTES, connected)

export const scene = {
  name: 'message',
  title: 'A message of 146,000 bytes to another process, and its confirmation',
  operation: 'a message',
  work: BYTES,
  contenders: {
    'os-ipc': node(async context => {
      const { Semaphore, SharedMemory } = await import('../shared/ours.mjs')
      const { object, atTheEnd } = context
      const full = Semaphore.create(`${object}-a`, { initial: 0, backend: 'sysv' })
      const empty = Semaphore.create(`${object}-b`, { initial: 0, backend: 'sysv' })
      const memory = SharedMemory.create(object, { size: BYTES })
      atTheEnd(() => {
        for (const thing of [full, empty]) thing.unlink()
        memory.unlink()
      })
      const data = fill(Buffer.alloc(BYTES))
      const reader = await partner('receive', [object], context)
      context.sumOf(async () => {
        reader.send('what do you have?')
        const [read] = await once(reader, 'message')
        return read
      })
      return async count => {
        let bytes = 0
        for (let index = 0; index < count; index += 1) {
          bytes += memory.write(data)
          full.post()
          await empty.wait()
        }
        return { work: bytes }
      }
    }),
    'bare calls': bareCalls('message'),
    'process.send, Buffer, advanced': messages(context =>
      channelTo(fill(Buffer.alloc(BYTES)), context, 'advanced'),
    ),
    'process.send, string, json': messages(context => channelTo('x'.repeat(BYTES), context, 'json')),
    'Unix socket': messages(context => socketTo(BYTES, 1, context)),
    'Python sysv_ipc': python('message', 'sysv'),
    'Python posix_ipc': python('message', 'posix'),
    Go: go('message'),
    'shm-typed-array': cannot('cannot tell its reader that data is there: the reader would poll'),
    'fs-ext': onlyLocks,
    'os-lock': onlyLocks,
    'proper-lockfile': onlyLocks,
    'async-mutex': inProcess,
  },
  targets: [
    ratio('os-ipc', 'Unix socket', 0.5),
    ...reported(
      ratio('os-ipc', 'process.send, Buffer, advanced', 0.1),
      ratio('os-ipc', 'process.send, string, json', 0.1),
    ),
  ],
}
