import { streamScene } from '../shared/streams.mjs'

export const scene = streamScene('stream-16kib', '16 KiB', 16_384, {
  send: 10,
  fresh: 2,
  socketDrain: 6,
  inC: 2,
})
