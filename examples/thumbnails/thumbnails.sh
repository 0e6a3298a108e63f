#!/bin/sh
# Scales twelve images down. xargs starts eight processes, and `os-ipc run` lets two of them work at a time, over all
# scripts and shells of this host that use the same name. A killed process gives its permit back.
# sh examples/thumbnails/thumbnails.sh
set -eu
here=$(dirname "$0")
set -- node "$here/../../cli/os-ipc.cjs" # where the package is installed: set -- npx os-ipc

folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
node "$here/draw.mjs" "$folder" 12

# In your script: ... -- ffmpeg -i FILE FILE.mp4, or any program that uses all processors.
printf '%s\n' "$folder"/*.ppm |
  xargs -P 8 -I FILE "$@" run example-thumbnails -n 2 -- node "$here/thumbnail.mjs" FILE FILE.small

find "$folder" -name '*.small' -size +100k | wc -l
"$@" rm example-thumbnails
