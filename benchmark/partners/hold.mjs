// Holds the permit of a limit until it is killed: `hold.mjs OBJECT ENGINE`.

import { Limit } from '../shared/ours.mjs'
import { ready } from './channel.mjs'

const [, , object, engine] = process.argv
// The permit is in use as long as this module is.
export const permit = await Limit.open(object, { engine }).acquire()
ready()
setInterval(() => {}, 60_000)
