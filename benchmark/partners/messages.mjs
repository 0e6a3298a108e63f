// The other end of `process.send`: answers every message with a short one.

import { ready } from './channel.mjs'

process.on('message', () => process.send(1))
ready()
