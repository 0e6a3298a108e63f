#!/usr/bin/env sh
':' /*
# A shell starts Node, which runs this file as well, and to which these lines are a comment. Node sets ignored signals back
# when it starts: for a command that is run they are kept in a variable (cli/run/start.ts). Another one has what a shell
# itself changes in the environment: variables whose names it does not know, and these four. A line each: tr swaps
# zeros and line breaks.
case $1 in run | lock)
  if [ -r /proc/$$/environ ]; then
    while read -r os_ipc_key os_ipc_value; do
      [ "$os_ipc_key" != SigIgn: ] || OS_IPC_IGNORED=$os_ipc_value
    done </proc/$$/status
    OS_IPC_ENVIRON=$(
      tr '\n\000' '\001\n' </proc/$$/environ |
        LC_ALL=C sed -n -e '/^[A-Za-z_][A-Za-z0-9_]*=/!p' -e '/^PWD=/p' -e '/^OLDPWD=/p' -e '/^SHLVL=/p' -e '/^_=/p' &&
        echo .
    ) 2>/dev/null || unset OS_IPC_ENVIRON
  else
    OS_IPC_IGNORED=$(trap)
  fi
  export OS_IPC_IGNORED OS_IPC_ENVIRON
esac
exec node "$0" "$@"
*/
;
import { main } from './main.js'

process.exitCode = await main(process.argv.slice(2))
