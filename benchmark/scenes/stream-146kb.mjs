import { streamScene } from '../shared/streams.mjs'

export const scene = streamScene('stream-146kb', '146,000 B', 146_000, {
  send: 10,
  fresh: 2,
  socketDrain: 8,
  inC: 2,
})
