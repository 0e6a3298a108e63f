#!/usr/bin/env node
// npm reads the first line of the file of a command, and starts `os-ipc` with sh, which Windows has not. This is the same
// command for cmd and PowerShell.
require('./os-ipc.cjs')
