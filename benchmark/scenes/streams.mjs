import { streamScene } from '../shared/streams.mjs'

export const scenes = [
  streamScene('64 B', 64, { send: 25, fresh: 20, socketDrain: 2 }),
  streamScene('1 KiB', 1024, { send: 25, fresh: 6, socketDrain: 6 }),
  streamScene('16 KiB', 16_384, { send: 10, fresh: 2, socketDrain: 6 }),
  streamScene('146,000 B', 146_000, { send: 10, fresh: 2, socketDrain: 8 }),
  streamScene('1 MiB', 1 << 20, { send: 20, fresh: 2, socketDrain: 10 }),
]
