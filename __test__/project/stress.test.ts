// The table of docs/reliability.md, and the checks of the trials of locks and limits.

import { readdirSync, readFileSync } from 'node:fs'

import test from 'ava'

import { Headcount } from '../../stress/headcount.ts'
import { Marks } from '../../stress/marks.ts'
import type { Outcome } from '../../stress/promise.ts'
import { renewed } from '../../stress/report.ts'

const OLD = `before
<!-- figures -->

Renewed by \`npm run stress -- --write\` on 2001-02-03: Node v24.

| promise | trials | lost | figures |
| --- | ---: | ---: | --- |
| a \`kill\` is survived | 1,000 | 0 | old |
| promised no more | 5 | 0 | old |
| skipped here | 7 | 0 | old |
<!-- /figures -->
after`

const promises = ['a `kill` is survived', 'promised since today', 'skipped here']

function outcome(promise: string, skipped?: string): Outcome {
  return { name: 'x', promise, trials: 1234, lost: [], figures: 'new', seconds: 1, skipped }
}

test('a full run renews the table, drops old promises, and keeps the rows that it had to skip', t => {
  const outcomes = [
    outcome('a `kill` is survived'),
    outcome('promised since today'),
    outcome('skipped here', 'needs root'),
  ]
  const docs = renewed(OLD, { outcomes, promises, short: false, partial: false })
  t.deepEqual(rows(docs), [
    '| a `kill` is survived | 1,234 | 0 | new |',
    '| promised since today | 1,234 | 0 | new |',
    '| skipped here | 7 | 0 | old |',
  ])
  t.regex(docs, /^before\n<!-- figures -->\n\nRenewed by `npm run stress -- --write` on 2\d{3}-/)
  t.notRegex(docs, /2001-02-03/)
  t.regex(docs, /\n<!-- \/figures -->\nafter$/)
})

test('a run of one promise renews its row but not the date of the others', t => {
  const docs = renewed(OLD, {
    outcomes: [outcome('a `kill` is survived')],
    promises,
    short: false,
    partial: true,
  })
  t.deepEqual(rows(docs), ['| a `kill` is survived | 1,234 | 0 | new |', '| skipped here | 7 | 0 | old |'])
  t.regex(docs, /on 2001-02-03: Node v24/)
})

test('every promise has its row in docs/reliability.md, and every row its promise', async t => {
  const folder = new URL('../../stress/promises/', import.meta.url)
  const files = readdirSync(folder).filter(file => /^[^.]+\.ts$/.test(file))
  const all = await Promise.all(files.map(file => import(new URL(file, folder).href)))
  const docs = readFileSync(new URL('../../docs/reliability.md', import.meta.url), 'utf8')
  const table = docs.slice(docs.indexOf('<!-- figures -->'), docs.indexOf('<!-- /figures -->'))
  t.deepEqual(
    rows(table)
      .map(row => row.split(' | ')[0]?.slice(2))
      .sort(),
    all.map(({ default: { promise } }) => promise).sort(),
  )
})

test('the second holder detects that two holders are inside a lock that excludes them', t => {
  const memory = new ArrayBuffer(Marks.size(3))
  const marks = new Marks(memory)
  t.is(marks.enter(0, false), undefined)
  t.is(marks.enter(1, false), undefined)
  t.regex(marks.enter(2, true) ?? '', /together with others while \d+ has the lock alone/)
  marks.leave(2)
  marks.leave(0)
  marks.leave(1)
  t.is(marks.enter(0, true), undefined)
  t.regex(marks.enter(1, false) ?? '', /alone while/)
  t.regex(marks.enter(2, true) ?? '', /alone while/)
})

test('a process that was killed inside a lock does not count as inside', t => {
  const marks = new Marks(new ArrayBuffer(Marks.size(2)))
  t.is(marks.enter(0, true), undefined)
  t.true(marks.isInside(0))
  marks.doom(0, process.pid)
  t.is(marks.enter(1, true), undefined)
  marks.leave(1)
  t.is(marks.clear(0), 'alone')
  t.is(marks.clear(0), undefined)
  t.false(marks.isInside(0))
})

test('a headcount holds the number of holders inside and the number allowed', t => {
  const headcount = new Headcount(new ArrayBuffer(Headcount.SIZE))
  headcount.allow(1)
  t.deepEqual(headcount.enter(0), { inside: 1, most: 1 })
  t.deepEqual(headcount.enter(Headcount.PLACES - 1), { inside: 2, most: 1 })
  headcount.leave(0)
  t.deepEqual(headcount.look(), { inside: 1, most: 1 })
  headcount.allow(0)
  t.deepEqual(headcount.look(), { inside: 1, most: 0 })
})

test('a process that was killed inside a limit is not counted any more', t => {
  const headcount = new Headcount(new ArrayBuffer(Headcount.SIZE))
  headcount.allow(2)
  headcount.enter(4)
  headcount.enter(5)
  headcount.doom([4, 6])
  t.deepEqual(headcount.look(), { inside: 1, most: 2 })
  t.true(headcount.isInside(4))
  t.true(headcount.clear([4, 6]))
  t.false(headcount.clear([4, 6]))
  t.deepEqual(headcount.enter(4), { inside: 2, most: 2 })
})

test('a headcount gives no answer while the coordinator changes it', t => {
  const memory = new ArrayBuffer(Headcount.SIZE)
  const headcount = new Headcount(memory)
  const words = new BigUint64Array(memory)
  words[3] = 1n // the version
  t.is(headcount.enter(0), undefined)
  t.is(headcount.look(), undefined)
  words[3] = 2n
  t.deepEqual(headcount.look(), { inside: 1, most: 0 })
})

function rows(docs: string): string[] {
  return docs
    .split('\n')
    .filter(line => line.startsWith('| ') && !line.startsWith('| promise |') && !line.startsWith('| --- |'))
}
