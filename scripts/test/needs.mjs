// Derives the needs of a test file, besides a built tree, from its imports: a round of one file prepares nothing else.

import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

import { root } from '../run.mjs'

const NEEDS = {
  '__test__/shared/peers.ts': { peers: ['python', 'c', 'go'] },
  '__test__/shared/numpy.ts': { peers: ['numpy'] },
  '__test__/shared/release-build.ts': { profile: 'release' },
}
const EVERYTHING = { peers: undefined, profile: 'release' }

/** `args` are the arguments of ava. Unless they name only files, everything is needed. */
export function needsOf(args) {
  const named = args.filter(arg => existsSync(join(root, arg)) || arg.endsWith('.ts'))
  const areFiles = named.every(arg => statSync(join(root, arg), { throwIfNoEntry: false })?.isFile())
  if (named.length === 0 || !areFiles) return EVERYTHING
  const found = [...imported(named)].map(file => NEEDS[file] ?? {})
  return {
    peers: [...new Set(found.flatMap(({ peers }) => peers ?? []))],
    profile: found.some(({ profile }) => profile === 'release') ? 'release' : 'any',
  }
}

/** The files and their direct and indirect imports. */
function imported(files, known = new Set()) {
  for (const file of files) {
    if (known.has(file) || !existsSync(join(root, file))) continue
    known.add(file)
    const code = readFileSync(join(root, file), 'utf8')
    const next = [...code.matchAll(/\bfrom '(\.[^']*)'/g)].map(([, path]) =>
      relative(root, resolve(root, dirname(file), path)),
    )
    imported(next, known)
  }
  return known
}
