// Subscribers that begin late, or stop. A separate file, because here no other subscriber exists.

import { setTimeout as sleep } from 'node:timers/promises'

import test from 'ava'

import { engines } from '../shared/engines.ts'
import { ownLimit } from '../limit/helpers/own.ts'
import { heardOf } from './helpers/heard.ts'

test('who listens late hears how long a wait took, not how long a permit was held', async t => {
  const limit = ownLimit(t, 1)
  const permit = limit.tryAcquire()
  const waiting = limit.acquire()
  await sleep(30)
  const { events, stop } = heardOf(t, { name: limit.name, backend: engines[0] ?? 'sysv' })
  permit?.release()
  const next = await waiting
  next.release()
  const [first, second, third] = events
  t.like(first, { event: 'os-ipc:released', held: undefined })
  if (second?.event !== 'os-ipc:acquired') return t.fail(second?.event)
  t.true(second.waited >= 29, String(second.waited))
  if (third?.event !== 'os-ipc:released') return t.fail(third?.event)
  t.true((third.held ?? -1) >= 0)

  const heard = events.length
  stop()
  limit.tryAcquire()?.release()
  t.is(events.length, heard)
})
