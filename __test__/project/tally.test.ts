// The last line of CI counts the results of the test runners.

import test from 'ava'

const { Tally } = await import(new URL('../../scripts/test/tally.mjs', import.meta.url).href)

test('cargo, TAP and linters are counted', t => {
  const tally = new Tally()
  tally.add(
    'test result: ok. 15 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.03s\n',
  )
  tally.add(
    'test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.03s\n',
  )
  tally.add('TAP version 13\nok 1 - one\nnot ok 2 - two\n  ---\n    message: ok 3\nok 3 - th')
  tally.add(
    'ree # SKIP\nok 4 - four [skipped: needs root] # SKIP\n# ok 5 - what a test printed\n1..4\n# pass 1',
  )
  tally.endStep('npm test', 1)
  tally.add('lint ok: biome ci\nlint failed: tsc --noEmit\n')
  tally.endStep('npm run lint', 1)
  t.is(String(tally), '19 passed, 3 failed, 4 skipped')
  t.deepEqual(tally.problems, ['1 of cargo test', 'two', 'tsc --noEmit'])
})

test('a step that fails without a failed test counts as one', t => {
  const tally = new Tally()
  tally.add('ok 1 - one')
  tally.endStep('npm test', 1)
  tally.endStep('npm run lint', 0)
  tally.endStep('npm run check:generated', 2)
  t.is(String(tally), '1 passed, 2 failed')
  t.deepEqual(tally.problems, ['npm test (exit code 1)', 'npm run check:generated (exit code 2)'])
})
