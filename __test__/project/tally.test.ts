// The last line of CI counts the results of the test runners, and the lines before it say what failed.

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
  t.deepEqual(names(tally), ['1 of cargo test', 'two', 'tsc --noEmit'])
})

test('a step that fails without a failed test counts as one', t => {
  const tally = new Tally()
  tally.add('ok 1 - one')
  tally.endStep('npm test', 1)
  tally.endStep('npm run lint', 0)
  tally.endStep('npm run check:generated', 2)
  t.is(String(tally), '1 passed, 2 failed')
  t.deepEqual(names(tally), ['npm test (exit code 1)', 'npm run check:generated (exit code 2)'])
})

test('what the runners say about a failure is told at the end', t => {
  const tally = new Tally()
  tally.add('\nfailures:\n\n---- sys::one stdout ----\n\nthread panicked at one.rs:1:\nleft is not right\n')
  tally.add('\n---- sys::two stdout ----\nsecond\n\nfailures:\n    sys::one\n    sys::two\n\n')
  tally.add('test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out\n')
  tally.add('not ok 1 - tap\n  ---\n  message: no\n  ...\nok 2 - later\nalso later\n')
  tally.endStep('npm test', 1)
  tally.add('os-ipc: the tests left ', 'stderr')
  tally.add('ok 3 - three\n', 'stdout')
  tally.add('behind: /dev/shm/x\n', 'stderr')
  tally.endStep('npm run test:nodes', 1)
  t.deepEqual(tally.report(), [
    'failed: cargo test: sys::one\n    thread panicked at one.rs:1:\n    left is not right',
    'failed: cargo test: sys::two\n    second\n    failures:\n        sys::one\n        sys::two',
    'failed: tap\n      ---\n      message: no\n      ...',
    'failed: npm run test:nodes (exit code 1)\n    ok 3 - three\n    os-ipc: the tests left behind: /dev/shm/x',
  ])
})

function names({ problems }: { problems: { name: string }[] }): string[] {
  return problems.map(({ name }) => name)
}
