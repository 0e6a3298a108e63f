import { cannot } from '../shared/contenders.mjs'
import { channelTo, oneByOne } from '../shared/messages.mjs'
import { partner } from '../shared/partner.mjs'
import { inProcess, onlyLocks } from '../shared/reasons.mjs'
import { socketTo } from '../shared/socket.mjs'
import { ratio } from '../shared/targets.mjs'

const BYTES = 64

const roundTrips = connected => oneByOne(BYTES, connected)

export const scene = {
  name: 'round-trip',
  title: 'A message of 64 bytes to another process and back',
  operation: 'a round trip',
  work: BYTES,
  // As in the streams: in shorter rounds the first messages after the pause of the other rounds count.
  slice: 100,
  contenders: {
    'os-ipc, Channel': roundTrips(async context => {
      const { Channel } = await import('../shared/ours.mjs')
      const { object, atTheEnd } = context
      const create = name => Channel.create(name, { capacity: 65_536, codec: 'bytes' })
      const [there, back] = [create(`${object}-a`), create(`${object}-b`)]
      atTheEnd(() => {
        for (const channel of [there, back]) channel.unlink()
      })
      await partner('echo-channel', [object], context)
      const data = Buffer.alloc(BYTES)
      return async () => {
        await there.send(data)
        await back.receive()
      }
    }),
    'process.send, Buffer, advanced': roundTrips(context =>
      channelTo(Buffer.alloc(BYTES), context, 'advanced'),
    ),
    'Unix socket': roundTrips(context => socketTo(BYTES, BYTES, context)),
    'shm-typed-array': cannot('cannot tell its reader that data is there: the reader would poll'),
    'fs-ext': onlyLocks,
    'os-lock': onlyLocks,
    'proper-lockfile': onlyLocks,
    'async-mutex': inProcess,
  },
  targets: [
    ratio('os-ipc, Channel', 'Unix socket', 0.5),
    ratio('os-ipc, Channel', 'process.send, Buffer, advanced', 0.4),
  ],
}
