// Every scene, in the order of the table.

const NAMES = [
  'sysv-pair',
  'sysv-permit',
  'posix-pair',
  'await-there',
  'hand-over',
  'hand-over-sync',
  'permit-hand-over',
  'kill',
  'copy',
  'message',
  'stream-64b',
  'stream-1kib',
  'stream-16kib',
  'stream-146kb',
  'stream-1mib',
  'stream-many',
  'round-trip',
  'contention',
  'pending',
  'many',
  'many-limits',
  'open-close',
  'import',
  'start-up',
  'redis',
  'postgres',
]

export const scenes = await Promise.all(NAMES.map(async name => (await import(`./${name}.mjs`)).scene))
