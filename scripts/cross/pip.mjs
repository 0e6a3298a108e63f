// Packages of PyPI, unpacked into a folder; no Python needs to see them.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { attempt, output } from '../run.mjs'
import { Missing } from './missing.mjs'

/** `pip install --target folder`, with its own pip: the machine's pip may be missing or not permitted. */
export function install(requirements, folder, options = []) {
  if (output('python3', ['--version']) === undefined) {
    throw new Missing(`python3, which fetches ${requirements.join(' and ')}`)
  }
  const environment = mkdtempSync(join(tmpdir(), 'os-ipc-'))
  try {
    const problem = attempt('python3', ['-m', 'venv', environment])
    if (problem) throw new Missing(`python3 -m venv: ${problem} (Debian: apt-get install python3-venv)`)
    const pip = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', folder]
    const refusal = attempt(join(environment, 'bin', 'python'), [...pip, ...options, ...requirements])
    if (refusal) throw new Missing(`${requirements.join(' and ')} from PyPI: ${refusal}`)
  } finally {
    rmSync(environment, { recursive: true, force: true })
  }
}
