/** The calls and options of this package for each remedy of the core, which serves other languages too. */
const REMEDIES: Readonly<Record<string, string>> = {
  __proto__: null as unknown as string,
  open: '`open` or `openOrCreate`',
  create: '`create` or `openOrCreate`',
  mode: '`mode: 0o660`',
  owner: "`owner: UID` or `owner: 'any'`",
  'any-owner': "`owner: 'any'`",
  finish: '`openOrCreate` or `unlink`',
  'open-existing': '`open` or `unlink`',
  posix: "`backend: 'posix'`",
  sysv: "`backend: 'sysv'`",
  semaphore: '`Semaphore.open` or `Semaphore.unlink`',
  limit: '`Limit.open` or `Limit.unlink`',
}

/** The core's hint, followed by the call or option of this package that applies it. */
export function remedied(hint: string, remedy: string, uid: string): string {
  const text = remedy === 'owner' ? `\`owner: ${uid}\` or \`owner: 'any'\`` : REMEDIES[remedy]
  return hint === '' || text === undefined ? hint : `${hint} (${text})`
}
