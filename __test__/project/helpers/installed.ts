// A project into which the tarballs are unpacked, as npm does it.

import { spawnSync } from 'node:child_process'
import { mkdirSync, renameSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { platform, folder, write } from '../../shared/project.ts'
import type { Teardown } from '../../shared/names.ts'
import { pack, type Packed } from '../../../scripts/release/pack.mjs'
import { targets } from '../../../scripts/cross/targets.mjs'

/** The tarballs for this platform. */
export function packed(t: Teardown): Packed[] {
  return pack(folder(t), { platforms: targets.filter(({ name }) => name === platform) })
}

/** A project with these packages; `links` maps the names of other packages to their folders. */
export function installed(
  t: Teardown,
  packages: readonly Packed[],
  links: Readonly<Record<string, string>> = {},
): string {
  const home = folder(t)
  write(join(home, 'package.json'), JSON.stringify({ private: true, dependencies: { 'os-ipc': '*' } }))
  const modules = join(home, 'node_modules')
  mkdirSync(modules)
  for (const { name, file } of packages) {
    const { status, stderr } = spawnSync('tar', ['xzf', file, '-C', modules], { encoding: 'utf8' })
    if (status !== 0) throw new Error(`${file}: ${stderr}`)
    renameSync(join(modules, 'package'), join(modules, name))
  }
  for (const [name, target] of Object.entries(links)) {
    mkdirSync(dirname(join(modules, name)), { recursive: true })
    symlinkSync(target, join(modules, name))
  }
  return home
}
