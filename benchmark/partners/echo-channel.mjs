// Sends every message back: `echo-channel.mjs OBJECT`.

import { Channel } from '../shared/ours.mjs'
import { ready } from './channel.mjs'

const [, , object] = process.argv
const [there, back] = [Channel.open(`${object}-a`), Channel.open(`${object}-b`)]
ready()
for (;;) await back.send(await there.receive())
