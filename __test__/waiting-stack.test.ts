// A call at the end of the stack fails like any other call, and keeps nothing that it took.

import test from 'ava'

import { backends } from './helpers/backends.ts'
import { child } from './helpers/child.ts'
import { uniqueName } from './helpers/names.ts'

for (const backend of backends) {
  for (const observed of [false, true]) {
    const listeners = observed ? ', with subscribers' : ''
    test(`nothing is lost at the end of the stack (${backend}${listeners})`, async t => {
      const process = child(t, 'at-stack-end.ts', { args: [backend, uniqueName(t), String(observed)] })
      t.deepEqual(await process.next(), { faults: [] })
    })
  }
}
