/** The calls and options of this package that the core's remedies stand for; the core is for other languages too. */
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

/** The core's hint, and the call or option of this package that it means. */
export function remedied(hint: string, remedy: string, uid: string): string {
  const text = remedy === 'owner' ? `\`owner: ${uid}\` or \`owner: 'any'\`` : REMEDIES[remedy]
  return hint === '' || text === undefined ? hint : `${hint} (${text})`
}
