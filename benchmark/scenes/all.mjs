// Every scene, in the order of the table.

const NAMES = [
  'sysv-pair',
  'sysv-permit',
  'posix-pair',
  'await-there',
  'hand-over',
  'hand-over-sync',
  'copy',
  'message',
  'streams',
  'round-trip',
  'contention',
  'pending',
  'many',
  'open-close',
  'import',
  'start-up',
  'redis',
  'postgres',
]

const modules = await Promise.all(NAMES.map(name => import(`./${name}.mjs`)))

export const scenes = modules.flatMap(module => module.scenes ?? module.scene)
