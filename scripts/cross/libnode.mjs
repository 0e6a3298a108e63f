// What the build script of napi looks for when it builds for Windows.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { cached } from './cache.mjs'

/** The value of LIBNODE_PATH. The addon finds Node's functions when it is loaded, so no library is linked: the files are empty. */
export function libnode() {
  return cached('libnode-1', folder => {
    writeFileSync(join(folder, 'libnode.dll'), '')
    writeFileSync(join(folder, 'libnode.a'), '!<arch>\n')
  })
}
