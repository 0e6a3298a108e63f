import { streamScene } from '../shared/streams.mjs'

export const scene = streamScene('stream-1mib', '1 MiB', 1_048_576, {
  send: 20,
  fresh: 2,
  socketDrain: 10,
  inC: 2,
})
