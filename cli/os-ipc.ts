#!/usr/bin/env sh
':' /*
# A shell starts Node, which runs this file as well, and to which these lines are a comment. Node changes when it starts
# what a command that is run is to have: signals that are ignored, and how many files it may open. They are kept in
# variables (cli/run/start.ts). Another one has what a shell itself changes in the environment: variables whose names it does
# not know, and these four. A line each: tr swaps zeros and line breaks.
case $1 in run | lock)
  if [ -r /proc/$$/environ ]; then
    while read -r os_ipc_key os_ipc_value; do
      [ "$os_ipc_key" != SigIgn: ] || { OS_IPC_IGNORED=$os_ipc_value && break; }
    done </proc/$$/status
    while read -r os_ipc_key os_ipc_what os_ipc_unit os_ipc_value; do
      [ "$os_ipc_what" != open ] || { OS_IPC_FILES=${os_ipc_value%% *} && break; }
    done </proc/$$/limits
    OS_IPC_ENVIRON=$(tr '\n\000' '\001\n' </proc/$$/environ) 2>/dev/null || unset OS_IPC_ENVIRON
    # What is long is filtered here, because the system limits the length of a variable; start.ts filters the rest.
    [ ${#OS_IPC_ENVIRON} -lt 60000 ] || OS_IPC_ENVIRON=$(
      printf '%s\n' "$OS_IPC_ENVIRON" |
        LC_ALL=C sed -n -e '/^[A-Za-z_][A-Za-z0-9_]*=/!p' -e '/^PWD=/p' -e '/^OLDPWD=/p' -e '/^SHLVL=/p' -e '/^_=/p'
    )
  else
    OS_IPC_IGNORED=$(trap)
  fi
  export OS_IPC_IGNORED OS_IPC_FILES OS_IPC_ENVIRON
esac
exec node "$0" "$@"
*/
;
const { lstatSync, mkdirSync } = process.getBuiltinModule('node:fs')
const { enableCompileCache } = process.getBuiltinModule('node:module')
const { isAbsolute, join } = process.getBuiltinModule('node:path')

useCompileCache()
// CommonJS, because Node needs 2 ms more to start an ES module.
const { main } = require('./command.cjs') as typeof import('./main.js')
// As for an ES module whose await never ends.
process.exitCode = 13
void main(process.argv.slice(2)).then(code => {
  process.exitCode = code
})

/**
 * Lets Node keep what it compiled for the next start, which is a fifth shorter then. What is in the folder runs as code, so nobody
 * else may be able to write to it: not as after `sudo` with the HOME of another user, and not as in `/tmp`, where Node's own
 * folder is.
 */
function useCompileCache(): void {
  const { HOME = '', XDG_CACHE_HOME = '' } = process.env
  const parent = XDG_CACHE_HOME || join(HOME, '.cache')
  const folder = join(parent, 'os-ipc')
  try {
    if (!isAbsolute(parent) || !isOurs(XDG_CACHE_HOME || HOME)) return
    // One at a time: a recursive mkdir of Node never ends in a place like /proc.
    for (const each of [parent, folder]) {
      if (lstatSync(each, { throwIfNoEntry: false }) === undefined) mkdirSync(each, { mode: 0o700 })
    }
    if (isOurs(parent) && isOurs(folder)) enableCompileCache?.(folder)
  } catch {
    // Without a folder that it can write to, each start compiles.
  }
}

function isOurs(folder: string): boolean {
  const { uid, mode } = lstatSync(folder)
  // A mode of 040755: a folder, and only its owner may write.
  return (mode & 0o170022) === 0o040000 && uid === process.geteuid?.()
}
