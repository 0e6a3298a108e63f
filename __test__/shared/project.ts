// A project with this package installed in the layout of npm, for tests of what happens outside of this repository.

import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import type { Teardown } from './names.ts'

const repository = fileURLToPath(new URL('../..', import.meta.url))

/** The output of `npm run build:native`: `os-ipc.linux-x64-gnu.node`. */
export const binary =
  readdirSync(repository).find(name => /^os-ipc\..*\.node$/.test(name)) ?? 'os-ipc.missing.node'

/** Its platform: `linux-x64-gnu`. */
export const platform = binary.split('.')[1] as string

/** The binary itself. */
export const bytes = (): Buffer => readFileSync(join(repository, binary))

/** An empty folder that is removed when the test ends. */
export function folder(t: Teardown): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'os-ipc-')))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Writes a file, and makes its folders. */
export function write(path: string, content: string | Buffer): string {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
  return path
}

/** A project with the package and these platform packages, given by the content of their binaries. */
export function project(t: Teardown, binaries: Record<string, Buffer> = { [platform]: bytes() }): string {
  const home = folder(t)
  const modules = join(home, 'node_modules')
  // Deno reads node_modules only where a package.json exists.
  write(join(home, 'package.json'), JSON.stringify({ private: true, dependencies: { 'os-ipc': '*' } }))
  const { files } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'))
  for (const name of ['package.json', ...files.map((file: string) => file.replace(/\/\*.*$/, ''))]) {
    cpSync(join(repository, name), join(modules, 'os-ipc', name), { recursive: true })
  }
  for (const [name, content] of Object.entries(binaries)) {
    const main = `os-ipc.${name}.node`
    const manifest = { name: `os-ipc-${name}`, version: '0.1.0', main }
    write(join(modules, manifest.name, 'package.json'), JSON.stringify(manifest))
    write(join(modules, manifest.name, main), content)
  }
  return home
}
