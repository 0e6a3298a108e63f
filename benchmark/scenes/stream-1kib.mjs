import { streamScene } from '../shared/streams.mjs'

export const scene = streamScene('stream-1kib', '1 KiB', 1024, { send: 25, fresh: 6, socketDrain: 6, inC: 2 })
