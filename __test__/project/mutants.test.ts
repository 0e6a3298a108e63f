// `npm run test:mutants` takes too long for every run: here, each mutant finds its text and its test.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import test from 'ava'

import { MUTANTS } from '../../scripts/test/ledger-mutants.mjs'

const read = (path: string) => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8')

for (const { name, file, from, to, fails } of MUTANTS) {
  test(`a mutant can be made: ${name}`, t => {
    t.is(read(`crates/os-ipc/src/${file}`).split(from).length, 2, `${file} has once: ${from}`)
    t.not(from, to)
    t.regex(read('crates/os-ipc/tests/ledger_steps/cases.rs'), new RegExp(`^    ${fails}: Case`, 'm'))
  })
}
