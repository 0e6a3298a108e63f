// A set without a record, to which nothing ever happened: that of a killed creator on a host with small sets, or of another
// program.

import { Limit } from '../../index.js'
import { keyOf, removeKey, uniqueName } from '../shared/names.ts'
import { linux, requires } from '../shared/requires.ts'
import { ctypes, makeSet } from '../shared/sets.ts'

requires(linux, ctypes)('openOrCreate finishes an untouched set of one semaphore', t => {
  const name = uniqueName(t)
  t.teardown(() => removeKey(keyOf(name)))
  makeSet(keyOf(name), 1)
  using made = Limit.openOrCreate(name, { permits: 3 })
  t.true(made.created)
  t.like(made.info(), { free: 3, verified: false })
  using found = Limit.openOrCreate(name, { permits: 5 })
  t.false(found.created)
  t.is(found.info().free, 3)
})

requires(linux, ctypes)('open takes an untouched set as it is', t => {
  const name = uniqueName(t)
  t.teardown(() => removeKey(keyOf(name)))
  makeSet(keyOf(name), 1)
  using found = Limit.open(name)
  t.is(found.info().free, 0)
})
