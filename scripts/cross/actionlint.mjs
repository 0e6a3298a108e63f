// The linter of workflows, compiled from the module proxy of Go.

import { join } from 'node:path'
import { spawnSync } from 'node:child_process'

import { machineEnv, output } from '../run.mjs'
import { cached } from './cache.mjs'
import { Missing } from './missing.mjs'

const VERSION = '1.7.12'

/** The program. */
export function actionlint() {
  if (output('go', ['version']) === undefined) throw new Missing('go, which compiles actionlint')
  const home = cached(`actionlint-${VERSION}`, folder => {
    const env = { ...machineEnv, GOBIN: folder, GOTOOLCHAIN: 'local', GOFLAGS: '-buildvcs=false' }
    const args = ['install', `github.com/rhysd/actionlint/cmd/actionlint@v${VERSION}`]
    const { status, stderr } = spawnSync('go', args, { env, encoding: 'utf8' })
    if (status !== 0) throw new Missing(`actionlint: ${stderr?.trim().split('\n').at(-1)}`)
  })
  return join(home, 'actionlint')
}
