// A call at the end of the stack fails like any other call, and keeps nothing that it took.

import test from 'ava'

import { Channel } from '../../index.js'
import { backends } from '../shared/backends.ts'
import { child } from '../shared/child.ts'
import { removeNamed, uniqueName } from '../shared/names.ts'

for (const backend of backends) {
  for (const observed of [false, true]) {
    const listeners = observed ? ', with subscribers' : ''
    test(`no unit, lock or object is lost at the end of the stack (${backend}${listeners})`, async t => {
      const name = uniqueName(t)
      for (const suffix of ['acquire', 'permits-at-once']) t.teardown(() => removeNamed(`${name}-${suffix}`))
      const process = child(t, 'waiting/at-stack-end.ts', {
        args: [backend, name, String(observed)],
      })
      t.deepEqual(await process.next(), { faults: [] })
    })
  }
}

test('a channel works after calls at the end of the stack', async t => {
  const name = uniqueName(t)
  for (const suffix of ['drain', 'sendWith', 'turns']) t.teardown(() => Channel.unlink(name + suffix))
  const process = child(t, 'channel/at-stack-end.ts', { args: [name] })
  t.deepEqual(await process.next(), { faults: [] })
})
