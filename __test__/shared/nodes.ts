import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A Node that runs fixtures. */
export interface NodeBinary {
  major: 22 | 24 | 26
  path: string
}

/** Whether the fixtures run on the Node of the tests alone: on Windows, and where the suite runs on each Node. */
const ownOnly = process.platform === 'win32' || process.env.OS_IPC_OWN_NODE === '1'

/** Every supported Node: devDependencies, each with its binary in its own `bin` folder. */
export const nodes: readonly NodeBinary[] = ownOnly
  ? [{ major: Number.parseInt(process.versions.node, 10) as NodeBinary['major'], path: process.execPath }]
  : [
      { major: 22, path: binary('node22') },
      { major: 24, path: binary('node') },
      { major: 26, path: binary('node26') },
    ]

function binary(packageName: string): string {
  const path = fileURLToPath(new URL(`../../node_modules/${packageName}/bin/node`, import.meta.url))
  if (!existsSync(path)) throw new Error(`${path} is missing: npm ci`)
  return path
}
