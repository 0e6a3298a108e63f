// The other end of the hand-over of permits: `swap.mjs OBJECT ENGINE async|sync`. Two processes swap two permits for ever.

import { Limit } from '../shared/ours.mjs'
import { swapping } from '../shared/swap.mjs'
import { ready } from './channel.mjs'

const [, , object, engine, how] = process.argv
const first = Limit.open(`${object}-a`, { engine })
const second = Limit.open(`${object}-b`, { engine })
const permit = second.tryAcquire()
const { follow } = swapping(first, second, how)
ready()
await follow(permit)
