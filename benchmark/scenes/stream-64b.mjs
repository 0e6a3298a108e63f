import { streamScene } from '../shared/streams.mjs'

export const scene = streamScene('stream-64b', '64 B', 64, { send: 25, fresh: 20, socketDrain: 2, inC: 4 })
