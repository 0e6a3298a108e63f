// Copies of the built package: other evaluations of its JavaScript, over the same binary or over one of their own.

import { cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import type { Teardown } from './names.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The index.js of a copy, whose binary is this build's own file (`'same'`) or a copy of it (`'own'`). */
export function copyOfPackage(t: Teardown, binary: 'same' | 'own'): string {
  const folder = mkdtempSync(join(tmpdir(), 'os-ipc-copy-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  for (const file of readdirSync(root)) {
    const [from, to] = [join(root, file), join(folder, file)]
    if (file.endsWith('.node') && binary === 'same') symlinkSync(from, to)
    else if (/\.(node|c?js|json)$/.test(file)) cpSync(from, to)
  }
  cpSync(join(root, 'lib'), join(folder, 'lib'), { recursive: true, filter: path => !path.endsWith('.ts') })
  return join(folder, 'index.js')
}
