// `npm run test:loom`: checks the hand-over of units and the ledger in every order in which threads can meet
// (crates/os-ipc/src/waiting/model.rs, crates/os-ipc/src/ledger/model.rs). It is a separate build, because the checker replaces the locks.

import { fileURLToPath } from 'node:url'

import { projectEnv, status } from '../run.mjs'

export function testLoom() {
  const RUSTFLAGS = [process.env.RUSTFLAGS, '--cfg loom'].filter(Boolean).join(' ')
  const args = ['test', '--quiet', '--package', 'os-ipc', '--lib', '--release', '--target-dir', 'target/loom']
  return status('cargo', [...args, '--', 'waiting::model', 'ledger::model'], {
    env: { ...projectEnv, RUSTFLAGS },
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = testLoom()
