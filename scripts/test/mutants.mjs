// `npm run test:mutants [-- NAME...]`: breaks the ledger on purpose, one way after the other, in a copy of the crates, and shows
// that a test of crates/os-ipc/tests/ledger_steps fails each time. The text of the code says where: a mutant whose text is
// gone is an error.

import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { MUTANTS } from './ledger-mutants.mjs'
import { fail, root, run, status } from '../run.mjs'

const folder = join(root, 'target/mutants')
const source = join(folder, 'source')

rmSync(source, { recursive: true, force: true })
mkdirSync(source, { recursive: true })
// With new times: cargo must not take the build of the last mutant for that of this source.
for (const part of ['Cargo.toml', 'Cargo.lock', 'README.md', 'crates'])
  cpSync(join(root, part), join(source, part), { recursive: true })

const asked = process.argv.slice(2).filter(arg => arg !== '--')
const mutants = MUTANTS.filter(({ name }) => asked.length === 0 || asked.some(part => name.includes(part)))
if (mutants.length === 0) fail(`no such mutant: ${asked.join(', ')}`)
run('cargo', ['test', '--no-run', ...program(), ...environment()])
const all = [...new Set(mutants.map(({ fails }) => fails))]
if (test(all) !== 0) fail('a test fails without a mutant')
const survivors = mutants.filter(mutant => !dies(mutant))
for (const { name } of survivors) console.error(`os-ipc: no test fails although ${name}`)
process.exitCode = survivors.length === 0 ? 0 : 1

/** Whether the test of a mutant fails. */
function dies({ name, file, from, to, fails }) {
  const path = join(source, 'crates/os-ipc/src', file)
  const text = readFileSync(path, 'utf8')
  if (text.split(from).length !== 2) fail(`${file} does not have this text once: ${from}`)
  writeFileSync(
    path,
    text.replace(from, () => to),
  )
  // Code that does not compile would fail every test.
  run('cargo', ['test', '--no-run', ...program(), ...environment()])
  const died = test([fails]) !== 0
  console.log(`${died ? '✔' : '✘'} ${name}: ${fails} ${died ? 'fails' : 'passes'}`)
  writeFileSync(path, text)
  return died
}

function test(names) {
  return status(
    'cargo',
    ['test', ...program(), ...environment(), '--', '--exact', ...names.map(name => `cases::${name}`)],
    {
      quiet: false,
    },
  )
}

function program() {
  return ['--quiet', '--package', 'os-ipc', '--test', 'ledger_steps']
}

function environment() {
  return ['--manifest-path', join(source, 'Cargo.toml'), '--target-dir', join(folder, 'build')]
}
