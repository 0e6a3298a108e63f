// Three workers under pm2, of which two convert at a time.
// npx pm2-runtime examples/pm2/ecosystem.config.cjs

module.exports = {
  apps: [
    {
      name: 'convert',
      script: 'worker.mjs',
      cwd: __dirname,
      // Processes of their own. `cluster` works as well: a limit has a name, and does not care which process started which.
      exec_mode: 'fork',
      instances: 3,
      // pm2 sends SIGINT, and SIGKILL after this many milliseconds: the permit comes back either way.
      kill_timeout: 5_000,
      autorestart: false, // a worker of yours goes on for ever: true
    },
  ],
}
